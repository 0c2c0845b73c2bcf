const words: Readonly<Record<string, string>> = {
  openid: 'Know that it is you',
  profile: 'See your name',
  'notes:read': 'Read your notes',
  read_api: 'Read what you can read at GitLab',
}

/** What a scope lets an app do, in words; a scope that has no words is said as it is. */
export function describeScope(scope: string): string {
  return Object.hasOwn(words, scope) ? String(words[scope]) : scope
}
