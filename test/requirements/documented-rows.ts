/**
 * Ids of all rows of the requirements, sections A1 to A7, C and D: written down here, as the document is
 * not in this repository, so that no row can drop out of the table unnoticed.
 */
export const documentedRows: readonly string[] = [
  ...named('A1 oidcc-client-test', [
    ...['', '-invalid-iss', '-missing-sub', '-invalid-aud', '-missing-iat'],
    ...['-kid-absent-single-jwks', '-kid-absent-multiple-jwks'],
    ...['-idtoken-sig-rs256', '-idtoken-sig-none', '-invalid-sig-rs256'],
    ...['-userinfo-invalid-sub', '-nonce-invalid', '-scope-userinfo-claims'],
    '-client-secret-basic',
  ]),
  ...named('A2 oidcc-client-test', [
    ...['-discovery-openid-config', '-discovery-jwks-uri-keys', '-discovery-issuer-mismatch'],
    '-idtoken-sig-none',
    ...['-signing-key-rotation-just-before-signing', '-signing-key-rotation'],
  ]),
  ...named('A3 oidcc-client-test-refresh-token', ['', '-invalid-issuer', '-invalid-sub']),
  ...named('A4 oidcc-client-test-rp-init-logout', ['', '-other-state', '-no-state']),
  ...named('A5 oidcc-client-test-rp-backchannel-rpinitlogout', [
    ...['', '-alg-none', '-wrong-alg', '-no-event', '-wrong-event', '-with-nonce'],
    ...['-wrong-aud', '-wrong-iss'],
  ]),
  ...named('A6 oidcc-client-test-rp-frontchannel-', ['rpinitlogout', 'opinitlogout']),
  'A7 oidcc-client-test-3rd-party-init-login',
  ...['C-01', 'C-02', 'C-03', 'C-04', 'C-05', 'C-06', 'C-07', 'C-08', 'C-09', 'C-10'],
  ...['C-11', 'C-12', 'C-13', 'C-14', 'C-15', 'C-16', 'C-17', 'C-18', 'C-19', 'C-20'],
  ...['C-21', 'C-22', 'C-23', 'C-24', 'C-25', 'C-26', 'C-27', 'C-28', 'C-29', 'C-30'],
  ...['C-31', 'C-32', 'C-33', 'C-34', 'C-35', 'C-36', 'C-37', 'C-38', 'C-39', 'C-40'],
  ...['C-41', 'C-42', 'C-43', 'C-44', 'C-45', 'C-46'],
  ...['D-1', 'D-2', 'D-3', 'D-4', 'D-5', 'D-6', 'D-7', 'D-8', 'D-9', 'D-10'],
  ...['D-11', 'D-12', 'D-13', 'D-14', 'D-15', 'D-16', 'D-17', 'D-18', 'D-19', 'D-20'],
  ...['D-21', 'D-22', 'D-23', 'D-24', 'D-25', 'D-26', 'D-27', 'D-28', 'D-29', 'D-30'],
  ...['D-31', 'D-32', 'D-33', 'D-34', 'D-35', 'D-36', 'D-37', 'D-38', 'D-39', 'D-40'],
  ...['D-41', 'D-42', 'D-43', 'D-44', 'D-45', 'D-46', 'D-47', 'D-48', 'D-49', 'D-50'],
  ...['D-51', 'D-52', 'D-53', 'D-54', 'D-55', 'D-56', 'D-57', 'D-58', 'D-59', 'D-60'],
  ...['D-61', 'D-62', 'D-63', 'D-64', 'D-65', 'D-66', 'D-67', 'D-68', 'D-69', 'D-70'],
  ...['D-71', 'D-72', 'D-73', 'D-74', 'D-75', 'D-76', 'D-77', 'D-78', 'D-79', 'D-80'],
  ...['D-81', 'D-82', 'D-83', 'D-84', 'D-85', 'D-86', 'D-87', 'D-88'],
]

function named(beginning: string, ends: readonly string[]): string[] {
  return ends.map((end) => beginning + end)
}
