import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { asHoneError, HoneError } from '../errors.ts'
import type { Tool } from '../ports/tool.ts'
import { readYaml } from '../prompt/yaml.ts'
import { type McpServer, type McpTools, mcp } from './mcp.ts'

const variable = z.string().regex(/^[A-Za-z_]\w*$/, 'it must be the name of an environment variable')
const names = z.record(z.string().min(1), variable)
const server = z
  .strictObject({
    /** A program, started with Hone and ended with it. */
    command: z.string().min(1).optional(),
    args: z.array(z.coerce.string()).optional(),
    /** Environment variables that the program gets, by name; as a table, those it knows by another name. */
    env: z
      .union([z.array(variable), names], 'it must be a list of names of environment variables, or a table of them')
      .transform((given) => (Array.isArray(given) ? Object.fromEntries(given.map((name) => [name, name])) : given))
      .optional(),
    /** Or an address. */
    url: z.url({ protocol: /^https?$/, error: 'it must be an http address' }).optional(),
    /** Environment variable with the bearer token. */
    bearer: variable.optional(),
    /** Other headers, each with the environment variable that has its value. */
    headers: names.optional(),
    timeoutMs: z.number().int().min(100).max(300_000).optional(),
  })
  .superRefine(({ command, args, env, url, bearer, headers }, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message })
    if ((command === undefined) === (url === undefined)) refuse('give it a "command" or a "url"')
    else if (url !== undefined && (args || env)) refuse('"args" and "env" are for a "command"')
    else if (command !== undefined && (bearer || headers)) refuse('"bearer" and "headers" are for a "url"')
  })
const file = z.strictObject({
  servers: z.record(z.string().regex(/^[a-z][\w-]{0,31}$/i, 'use letters, digits, _ and -'), server),
})

/** A server as a file names it. */
export interface NamedServer {
  readonly name: string
  /** File and line. */
  readonly at: string
  readonly server: McpServer
}

/** What an environment variable holds; undefined where it isn't set. */
export type Lookup = (name: string) => string | undefined

/**
 * Reads a file of MCP servers. Secrets stand in environment variables, and only their names in the file.
 *
 * @throws HoneError CONFIG naming file, line and key; for an environment variable that isn't set, too
 * @example parseServers('servers: { files: { command: files-server, env: [FILES_KEY] } }', 'mcp.yaml', lookup)[0].server
 */
export function parseServers(text: string, path: string, lookup: Lookup): readonly NamedServer[] {
  const { value, at } = readYaml(text, file, { file: path, line: 1 })
  return Object.entries(value.servers).map(([name, { command, args, env, url, bearer, headers, timeoutMs }]) => {
    const secretOf = (variable: string, ...key: string[]): string => {
      const found = lookup(variable)
      if (found) return found
      throw new HoneError('CONFIG', `${at(['servers', name, ...key])}: the environment variable ${variable} isn't set.`)
    }
    const filled = (table: Readonly<Record<string, string>>, key: string) =>
      Object.fromEntries(Object.entries(table).map(([one, variable]) => [one, secretOf(variable, key, one)]))
    const authorization = bearer ? { authorization: `Bearer ${secretOf(bearer, 'bearer')}` } : {}
    const how =
      url === undefined
        ? { command: command ?? '', args: args ?? [], env: filled(env ?? {}, 'env') }
        : { url, headers: { ...filled(headers ?? {}, 'headers'), ...authorization } }
    return { name, at: at(['servers', name]), server: { ...how, ...(timeoutMs ? { timeoutMs } : {}) } }
  })
}

/** Reads the file itself. @throws HoneError CONFIG as {@link parseServers} does, or when it can't be read */
export async function readServers(path: string, lookup: Lookup): Promise<readonly NamedServer[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw asHoneError(error, 'CONFIG', `HONE_MCP: the file ${path} can't be read`)
  })
  return parseServers(text, path, lookup)
}

/**
 * Starts or reaches one server; its tools are named `server.tool`, so that those of two never meet.
 *
 * @throws HoneError naming file and line, with what the server said
 */
export async function openServer({ name, at, server }: NamedServer): Promise<McpTools> {
  const opened = await mcp(server).catch((error: unknown) => {
    const { code, message } = asHoneError(error, 'NETWORK', `The MCP server ${name} can't be used`)
    throw new HoneError(code, `${at}: ${message}`, { cause: error })
  })
  const named = (tool: Tool): Tool => ({ ...tool, name: `${name}.${tool.name}` })
  return { ...opened, tools: opened.tools.map(named) }
}

/**
 * Starts and reaches all servers of a file at once. Disposing the result ends them all; when one can't be used, the others
 * are ended before it throws.
 */
export async function openServers(servers: readonly NamedServer[]): Promise<McpTools> {
  await using stack = new AsyncDisposableStack()
  const tried = await Promise.allSettled(servers.map(openServer))
  for (const one of tried) if (one.status === 'fulfilled') stack.use(one.value)
  const failed = tried.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
  const tools = tried.flatMap((one) => (one.status === 'fulfilled' ? one.value.tools : []))
  const opened = stack.move()
  return { tools, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
