import { invalid } from './checks.ts'
import type { Preset } from './preset.ts'

/** A preset as it was made: a symbol, so that it is in spread copies and is no member of theirs. */
const asMade = Symbol('as made')

/** What says at which server tokens are issued. */
const issuing = ['issuer', 'token_endpoint'] as const

/** The preset as apps get it, with a note of what it was. */
export function notePreset(preset: Preset): Preset {
  return { ...preset, [asMade]: preset } as Preset
}

/**
 * Refuses a copy of a preset whose tokens come from another origin than before while they would still
 * be sent to the old one: the tokens of a server are for no other. Under another name it is a preset
 * of the app's own, which may have its endpoints where it likes.
 */
export function refuseHalfMoved(server: Preset): void {
  const made = (server as { [asMade]?: Preset })[asMade]
  if (made === undefined || made.preset !== server.preset) return
  const moved = issuing.find(
    (name) => made[name] && originOf(server[name]) !== originOf(made[name]),
  )
  if (moved === undefined) return
  const left = [
    ...(['userinfo_endpoint', 'revocation_endpoint'] as const).filter(
      (name) => made[name] && originOf(server[name]) === originOf(made[name]),
    ),
    ...(server.apiOrigins?.some((origin) => made.apiOrigins?.includes(origin))
      ? ['apiOrigins']
      : []),
  ]
  if (left.length > 0)
    throw invalid(
      `server.${moved}`,
      `is at another origin than that of the preset: tokens from there would be sent to the old place by ${left
        .map((name) => `"server.${name}"`)
        .join(
          ' and ',
        )}. Change them, too, or, if this is meant, give "server.preset" a name of your own`,
    )
}

function originOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : url
}
