import { expect } from 'chai'
import ts from 'typescript'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PkceFlowError, type PkceFlowErrorCode } from '../../src/index.ts'
import { root, texts } from './guides.ts'

/** The closed list, as the source has it. */
function codesInSource(): string[] {
  const text = readFileSync(join(root, 'src/errors.ts'), 'utf8')
  const source = ts.createSourceFile('errors.ts', text, ts.ScriptTarget.Latest, true)
  const codes: string[] = []
  function visit(node: ts.Node) {
    if (ts.isVariableDeclaration(node) && node.name.getText() === 'statusByCode')
      ts.forEachChild(node.initializer!, (inner) => {
        if (ts.isObjectLiteralExpression(inner))
          for (const property of inner.properties) codes.push(property.name!.getText())
      })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return codes
}

describe('guide errors.md', () => {
  const text = texts.get('docs/errors.md')!
  const entries = Array.from(
    text.matchAll(/^### (\w+)\n\n\*\*(\d{3})(?:\.\*\*|\*\*)([^]*?)(?=^##|$(?![^]))/gm),
    ([, code = '', status = '', body = '']) => ({ code, status: Number(status), body }),
  )

  it('has an entry for every code of the closed list, and for no other', () => {
    const codes = codesInSource()
    expect(codes.length).to.be.greaterThan(20)
    expect(entries.map(({ code }) => code)).to.have.members(codes)
    expect(Array.from(text.matchAll(/^### (.*)$/gm))).to.have.length(codes.length)
  })

  it('says the status of each', () => {
    const statuses = entries.map(({ code, status }) => [code, status])
    const own = entries.map(({ code }) => [
      code,
      new PkceFlowError(code as PkceFlowErrorCode, '').status,
    ])
    expect(statuses).to.deep.equal(own)
  })

  it('says of each what to do', () => {
    const silent = entries.filter(({ body }) => !body.includes('**To do:**'))
    expect(silent.map(({ code }) => code)).to.deep.equal([])
  })
})
