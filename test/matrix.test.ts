import { expect } from 'chai'
import express from 'express'

describe('the matrix of supported versions', () => {
  const { SUITE_EXPRESS, SUITE_NODE } = process.env

  it(`runs this suite on Express ${SUITE_EXPRESS ?? '(any)'} and Node ${SUITE_NODE ?? '(any)'}`, () => {
    // Express 5 dropped app.del().
    const major = 'del' in express.application ? '4' : '5'
    expect(major).to.equal(SUITE_EXPRESS ?? major)
    expect(process.version).to.match(new RegExp(`^v${SUITE_NODE ?? ''}`))
  })
})
