import Module, { register } from 'node:module'

// Loaded with --import: the whole suite, and the package itself, then run on Express 4, whether they
// are imported or, as mocha does where Node can, required.
const hook = `
export function resolve(specifier, context, next) {
  return next(specifier === 'express' ? 'express4' : specifier, context)
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)

const resolveFilename = Module._resolveFilename
Module._resolveFilename = function resolveExpress4(specifier, ...rest) {
  return resolveFilename.call(this, specifier === 'express' ? 'express4' : specifier, ...rest)
}
