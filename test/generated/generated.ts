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
    this.timeout(60_000 + cases * 100)
    const batches = fc.array(inputs, { minLength: atOnce, maxLength: atOnce })
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        // All of them, before the next batch or a smaller one begins.
        const ended = await Promise.allSettled(batch.map((input) => naming(input, property)))
        const failed = ended.find(({ status }) => status === 'rejected')
        if (failed?.status === 'rejected') throw failed.reason as Error
      }),
      {
        numRuns: Math.ceil(cases / atOnce),
        seed,
        // `GENERATED_SHRINK=no` shows the first failure at once, as it was generated.
        endOnFailure: process.env.GENERATED_SHRINK === 'no',
      },
    )
  })
}

/** Of a batch that fails, the input at fault is what one looks for. */
async function naming<Input>(input: Input, property: (input: Input) => Promise<void>) {
  try {
    await property(input)
  } catch (error) {
    throw new Error(`${(error as Error).message}\nfor ${fc.stringify(input)}`, { cause: error })
  }
}
