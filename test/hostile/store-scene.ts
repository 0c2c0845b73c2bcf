import type { AppSetUp, RunningApp } from '../support/app.ts'
import type { Browser, Page } from '../support/browser.ts'

/** An app, and a browser in which something is done there. */
export interface Scene {
  app: RunningApp
  browser: Browser
  /** Another browser, without cookies. */
  elsewhere: Browser
  /** Keeps what a call that is no page gave, as if it were one. */
  say(path: string, status: number, code?: string): Page
}

/** Something that people, servers or jobs do with a flow. */
export interface HostileFlow {
  name: string
  /** Whether every fault is tried in every run of the tests; else only those that tell most. */
  isMain?: true
  app?: AppSetUp
  /** Whether tokens are kept per user, in a store of their own. */
  perUser?: true
  /** What was done before, while every store worked. */
  before?: (scene: Scene) => Promise<unknown>
  /** What is done while a call fails. Its repetition is how a person tries again. */
  act: (scene: Scene) => Promise<unknown>
  /** How a person begins anew, where that is another thing. */
  anew?: (scene: Scene) => Promise<unknown>
  /** Whether it is tried once only, and a person who is let in without it goes on, as they were. */
  isOptional?: true
}
