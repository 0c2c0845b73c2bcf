import type { Flow } from './flow.ts'

/** All flows of this process, which sessions know by their names. */
const flows = new Map<string, Set<WeakRef<Flow>>>()

export function rememberFlow(flow: Flow): void {
  const { name } = flow.settings
  const named = flows.get(name) ?? new Set()
  flows.set(name, named.add(new WeakRef(flow)))
}

/** Several apps of one process can have a flow of the same name. */
export function flowsNamed(name: string): Flow[] {
  const found: Flow[] = []
  for (const reference of flows.get(name) ?? []) {
    const flow = reference.deref()
    if (flow === undefined) flows.get(name)?.delete(reference)
    else found.push(flow)
  }
  return found
}
