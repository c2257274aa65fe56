import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { loadVectors } from '../../knowledge/index.ts'
import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { settings } from '../settings.ts'
import { openServer, readServers } from '../tools/mcp-file.ts'
import { discordFindings } from './discord.ts'
import { chooseModel } from './model.ts'
import type { Output } from './output.ts'
import type { Finding } from './served.ts'
import { slackFindings } from './slack-doctor.ts'
import { teamsFindings } from './teams.ts'

const run = promisify(execFile)

/** `hone doctor`: one line a check, with what to do where something is missing. */
export async function doctor(config: Config, output: Output, log: Logger): Promise<void> {
  const machine = [node(), model(config), await disk(config), await python(config), vectors(), policy(config)]
  const channels = [
    slackFindings(config, log),
    teamsFindings(config),
    discordFindings(config, log),
    mcpFindings(config),
  ]
  const findings = [...machine, ...(await Promise.all(channels)).flat()]
  const lines = findings.map(({ ok, what, detail }) => `${ok ? '✔' : '✖'} ${what}: ${detail}`)
  const width = Math.max(...Object.keys(settings).map(({ length }) => length))
  const table = Object.entries(settings).map(([name, { help }]) => `  ${name.padEnd(width)} ${help}`)
  output.result([...lines, '', 'Settings:', ...table].join('\n'), { findings })
  if (findings.some(({ ok }) => !ok)) process.exitCode = 1
}

function node(): Finding {
  return { what: 'Node', ok: true, detail: process.version }
}

function model(config: Config): Finding {
  try {
    const { base, trainFolder } = chooseModel(config)
    return {
      what: 'Model',
      ok: true,
      detail: `${base}${trainFolder ? '' : ' (can be served; set HONE_TRAIN_MODEL to train it)'}`,
    }
  } catch (error) {
    return {
      what: 'Model',
      ok: false,
      detail: error instanceof HoneError ? `${error.message} ${error.help}` : String(error),
    }
  }
}

async function disk({ dataDir }: Config): Promise<Finding> {
  let folder = dataDir
  while (!existsSync(folder)) folder = dirname(folder)
  const { bavail, bsize } = await statfs(folder)
  const free = (bavail * bsize) / 2 ** 30
  return { what: 'Disk', ok: free > 1, detail: `${free.toFixed(1)} GB free at ${dataDir}` }
}

async function python({ python: wanted }: Config): Promise<Finding> {
  const command = wanted || 'python3'
  try {
    const { stdout } = await run(command, ['-c', 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])'])
    const version = stdout.trim()
    const ok = Number(version.split('.')[1]) >= 10
    return {
      what: 'Python',
      ok,
      detail: ok ? `${version}; training can be set up` : `${version} is too old: training needs 3.10 or newer`,
    }
  } catch {
    return { what: 'Python', ok: false, detail: `${command} with venv is missing; only training needs it` }
  }
}

function vectors(): Finding {
  const { library } = loadVectors('auto')
  const detail =
    library === 'faiss' ? 'FAISS' : 'usearch; `node scripts/build-faiss.mjs` builds FAISS where Debian has it'
  return { what: 'Vectors', ok: true, detail }
}

/** Each server is started or reached, and ended again. */
async function mcpFindings({ mcp, named }: Config): Promise<readonly Finding[]> {
  if (!mcp) return []
  const why = (error: unknown) => (error instanceof HoneError ? `${error.message} ${error.help}` : String(error))
  try {
    const servers = await readServers(mcp, named)
    const findings = servers.map(async (server): Promise<Finding> => {
      const what = `MCP server ${server.name}`
      try {
        await using opened = await openServer(server)
        return { what, ok: true, detail: opened.tools.map(({ name }) => name).join(', ') || 'it has no tools' }
      } catch (error) {
        return { what, ok: false, detail: why(error) }
      }
    })
    return await Promise.all(findings)
  } catch (error) {
    return [{ what: 'MCP servers', ok: false, detail: why(error) }]
  }
}

function policy({ trainOn }: Config): Finding {
  return {
    what: 'Training policy',
    ok: true,
    detail: `votes from ${trainOn.join(', ') || 'no channel'} may be trained on`,
  }
}
