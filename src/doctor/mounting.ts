import type { Request } from 'express'
import { expectedPaths } from '../http/routes.ts'
import type { Settings } from '../options/settings.ts'
import type { Found } from './finding.ts'

/** As much of a layer of Express's routers as is needed: of 4 and 5 alike. */
interface Layer {
  handle: unknown
  /** Express 4 says `true`, and leaves on the layer what it matched; newer ones give that back. */
  match(path: string): boolean | { path: string }
  path?: string | undefined
  route?: { stack: { handle: unknown }[] } | undefined
}

/**
 * A router that never sees the callback, by where it is mounted in this app. Where that cannot be told
 * (an app within the app, a handler around the router, a router of another framework) nothing is found.
 */
export function examineMounting(settings: Settings, router: unknown, req: Request): Found[] {
  const app = req.app as { parent?: unknown; _router?: unknown; router?: unknown } | undefined
  // The getter `router` of Express 4 throws.
  const layers = app?.parent === undefined ? stackOf(app?._router ?? app?.router) : undefined
  if (layers === undefined) return []
  const missed = expectedPaths(settings).find(
    ([, path]) => reaches(layers, path, router) === 'mounted elsewhere',
  )
  if (missed === undefined) return []
  const [option, path] = missed
  return [
    {
      code: 'callback_misplaced',
      atFault: 'app',
      message: `The router is mounted where it never sees ${path}, and ${option} leads there.`,
      remedy: `Mount it with app.use(flow), or change ${option}, here and at the authorization server.`,
      guide: 'docs/errors.md#callback_misplaced',
    },
  ]
}

/** Routers can be mounted in each other in circles. */
const deepest = 20

type Reached = 'reached' | 'mounted elsewhere' | 'not found'

/**
 * Whether a request for this path gets to the router.
 *
 * @param path `undefined`: another one, that these layers never see
 */
function reaches(
  layers: readonly Layer[],
  path: string | undefined,
  router: unknown,
  depth = 0,
): Reached {
  let found: Reached = 'not found'
  for (const layer of layers) {
    // Those of other frameworks' routers do not say what they are for.
    if (path !== undefined && typeof layer.match !== 'function') continue
    const match = path !== undefined && layer.match(path)
    const isHere =
      layer.handle === router || layer.route?.stack.some(({ handle }) => handle === router)
    const matched = typeof match === 'object' ? match.path : (layer.path ?? '')
    const rest = match && path !== undefined ? path.slice(matched.length) || '/' : undefined
    const inner = isHere
      ? match
        ? 'reached'
        : 'mounted elsewhere'
      : reaches((depth < deepest && stackOf(layer.handle)) || [], rest, router, depth + 1)
    if (inner === 'reached') return inner
    if (inner === 'mounted elsewhere') found = inner
  }
  return found
}

function stackOf(router: unknown): readonly Layer[] | undefined {
  const { stack } = (router ?? {}) as { stack?: unknown }
  return Array.isArray(stack) ? (stack as Layer[]) : undefined
}
