// oidc-provider comes without types. These are the parts that authorization-server.ts uses.

declare module 'oidc-provider/lib/provider.js' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface Interaction {
    uid: string
    prompt: {
      name: string
      details: { missingOIDCScope?: string[]; missingOIDCClaims?: string[] }
    }
    params: { client_id: string; redirect_uri: string; scope?: string }
    session?: { accountId: string }
  }

  export interface Grant {
    addOIDCScope(scope: string): void
    addOIDCClaims(claims: string[]): void
    save(): Promise<string>
  }

  /** As much of Koa's context as is used. */
  export interface Context {
    type: string
    status: number
    body: string | undefined
    set(headers: Record<string, string>): void
    oidc: {
      client: { clientId: string }
      provider: Provider
      entities: { Client?: object }
      session: { accountId?: string; grantIdFor(clientId: string): string | undefined }
      result?: { login?: object; consent?: { grantId: string } }
      promptPending(name: string): boolean
    }
  }

  export class Provider {
    constructor(issuer: string, configuration: object)
    callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void>
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>
    interactionFinished(
      req: IncomingMessage,
      res: ServerResponse,
      result: object,
      options?: { mergeWithLastSubmission: boolean },
    ): Promise<void>
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void
    on(
      event: 'backchannel.error',
      listener: (context: Context, error: Error, client: { clientId: string }) => void,
    ): void
    Client: { find(id: string): Promise<{ clientName?: string } | undefined> }
    Grant: {
      new (of: { accountId: string | undefined; clientId: string }): Grant
      find(id: string): Promise<Grant | undefined>
    }
  }
}

declare module 'oidc-provider/lib/adapters/memory_adapter.js' {
  export function createMemoryAdapter(clockTolerance?: number): (model: string) => object
}

declare module 'oidc-provider/lib/helpers/interaction_policy/index.js' {
  import type { Context } from 'oidc-provider/lib/provider.js'

  interface Prompt {
    checks: { add(check: Check): void }
  }

  export interface Check {
    reason: string
  }
  export const Check: new (
    reason: string,
    description: string,
    error: string,
    check: (context: Context) => boolean,
  ) => Check

  export function base(): { get(name: string): Prompt }
}
