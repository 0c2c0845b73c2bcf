import type { Example, ExampleOptions } from '../../example-app/start-example.ts'
import { buildPackage } from '../support/built-package.ts'

/** Starts the example app as `npm start` does: with the package as it is built, by its name. */
export async function startExample(options?: ExampleOptions): Promise<Example> {
  await buildPackage()
  const example = await import('../../example-app/start-example.ts')
  return example.startExample(options)
}
