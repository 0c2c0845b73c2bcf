import fc from 'fast-check'

/** `GENERATED_CASES=1000000` looks longer, `GENERATED_SEED=…` elsewhere: what is printed repeats a run. */
const cases = Number(process.env.GENERATED_CASES ?? 10_000)
const seed = Number(process.env.GENERATED_SEED ?? 7636)

/** How many cases run at the same time: enough to keep the process busy while sockets wait. */
const atOnce = 20

/**
 * A test that a property holds for each of ten thousand generated inputs. The inputs of one batch go
 * out together; a failure is shrunk and printed with the seed and the path that lead to it again.
 */
export function holdsForAll<Input>(
  title: string,
  inputs: fc.Arbitrary<Input>,
  property: (input: Input) => Promise<void>,
): Mocha.Test {
  return it(`${title} (${cases.toLocaleString('en')} cases, seed ${seed})`, async function () {
    this.timeout(cases * 30)
    const batches = fc.array(inputs, { minLength: atOnce, maxLength: atOnce })
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        await Promise.all(batch.map(property))
      }),
      { numRuns: Math.ceil(cases / atOnce), seed, endOnFailure: false },
    )
  })
}
