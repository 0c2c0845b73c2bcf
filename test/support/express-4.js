import { register } from 'node:module'

// Loaded with --import: the whole suite, and the package itself, then run on Express 4.
const hook = `
export function resolve(specifier, context, next) {
  return next(specifier === 'express' ? 'express4' : specifier, context)
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
