import { channelSettings } from './channel-settings.ts'
import { begins, fraction, fractionTo, oneOf, type Setting, thread, whole } from './setting.ts'

/** One row a variable: the only table from which types, checks, `.env.example` and the README come. */
export const settings = {
  HONE_DATA: { group: 'Server', fallback: '.hone', help: 'Folder for the database, the index, versions and logs.' },
  HONE_HOST: {
    group: 'Server',
    fallback: '127.0.0.1',
    help: 'Address to listen on. Anything but loopback needs HONE_ADMIN_TOKEN.',
  },
  HONE_PORT: {
    group: 'Server',
    fallback: '3978',
    help: 'Port of the page and of every webhook.',
    check: whole(0, 65535),
  },
  HONE_ADMIN_TOKEN: {
    group: 'Server',
    fallback: '',
    help: 'Token for admin actions. Empty: made at the first start and printed.',
    secret: true,
  },
  HONE_QUESTIONS_A_MINUTE: {
    group: 'Server',
    fallback: '20',
    help: 'Questions that one person may ask in a minute, retries too. 0: no limit.',
    check: whole(0, 100_000),
  },
  HONE_PRESSES_A_MINUTE: {
    group: 'Server',
    fallback: '120',
    help: 'Votes, corrections and commands that one person may send in a minute. 0: no limit.',
    check: whole(0, 100_000),
  },
  HONE_MODEL: {
    group: 'Model',
    fallback: '',
    help: 'Path of a GGUF. Empty: the starter model. With HONE_ENGINE_URL: the model name there.',
  },
  HONE_TRAIN_MODEL: {
    group: 'Model',
    fallback: '',
    help: 'Hugging Face folder (safetensors) of the same model; training starts from it.',
  },
  HONE_ENGINE_URL: {
    group: 'Model',
    fallback: '',
    help: 'OpenAI-style server (vLLM, llama-server, Ollama), e.g. http://127.0.0.1:8000/v1. Empty: in-process llama.cpp.',
  },
  HONE_ENGINE_KEY: {
    group: 'Model',
    fallback: '',
    help: 'API key for HONE_ENGINE_URL, if it wants one.',
    secret: true,
  },
  HONE_CONTEXT: {
    group: 'Model',
    fallback: '0',
    help: 'Context window in tokens. 0: what the model was trained for, at most 8192.',
    check: whole(0, 1_048_576),
  },
  HONE_PARALLEL: { group: 'Model', fallback: '4', help: 'Replies generated at the same time.', check: whole(1, 64) },
  HONE_PROFILE: {
    group: 'Knowledge',
    fallback: '',
    help: 'Profile file (Markdown with front matter). Empty: the sample profile.',
  },
  HONE_BACKEND_URL: {
    group: 'Knowledge',
    fallback: '',
    help: 'Address of the back end that a profile’s variables come from, e.g. http://127.0.0.1:9000/api.',
    check: begins('http'),
  },
  HONE_BACKEND_KEY: {
    group: 'Knowledge',
    fallback: '',
    help: 'Bearer token for HONE_BACKEND_URL, if it wants one.',
    secret: true,
  },
  HONE_MCP: { group: 'Knowledge', fallback: '', help: 'YAML file of MCP servers whose tools a profile may name.' },
  HONE_EMBED_MODEL: {
    group: 'Knowledge',
    fallback: '',
    help: 'GGUF embedding model or URL of an embeddings endpoint. Empty: the word table beside the model, else its tokens.',
  },
  HONE_DUEL_RATE: {
    group: 'Learning',
    fallback: '0.1',
    help: 'Share of replies shown as a blind duel.',
    check: fraction,
  },
  HONE_TRAIN_ON: {
    group: 'Learning',
    fallback: 'web,terminal,import',
    help: 'Channels whose votes may be trained on. Read the platform’s terms before you add slack, teams or discord.',
  },
  HONE_TENANTS: {
    group: 'Learning',
    fallback: 'separate',
    help: 'separate: a workspace or guild trains a version of its own on its own votes, the page, terminal and imports one for all. pooled: one version for everybody, trained on all votes.',
    check: oneOf('separate', 'pooled'),
  },
  HONE_TENANT_ENGINES: {
    group: 'Learning',
    fallback: '4',
    help: 'Versions of tenants that are in memory at once; the one used longest ago makes room.',
    check: whole(1, 64),
  },
  HONE_RECEIPTS: {
    group: 'Learning',
    fallback: '0',
    help: 'People who are told after a promotion, in private, once a version, that an answer is now what they had asked for. 0: nobody.',
    check: whole(0, 1000),
  },
  HONE_TEACHER_URL: {
    group: 'Learning',
    fallback: '',
    help: 'OpenAI-style server that writes explained answers for `--method explain`, proposes instructions for `tune-prompt`, and judges fresh answers at the gate; it is sent people’s questions, replies and reasons. Empty: the model itself writes, rules judge.',
  },
  HONE_TEACHER_KEY: {
    group: 'Learning',
    fallback: '',
    help: 'API key for HONE_TEACHER_URL, if it wants one.',
    secret: true,
  },
  HONE_TEACHER_MODEL: {
    group: 'Learning',
    fallback: '',
    help: 'Name of the model at HONE_TEACHER_URL; empty where it has only one.',
  },
  HONE_SCHEDULE: {
    group: 'Learning',
    fallback: '',
    help: 'Cron expression for training without being asked, e.g. 0 3 * * *. Empty: only on command.',
  },
  HONE_TRAIN_PROCESSES: {
    group: 'Learning',
    fallback: '0',
    help: 'Processes that share a training run: GPUs, or processes on the CPU. 0: all GPUs, one process on the CPU.',
    check: whole(0, 64),
  },
  HONE_CANARY: {
    group: 'Learning',
    fallback: '0',
    help: 'Share of threads that a version which passed the gate answers first, until votes promote it or take it back, e.g. 0.2. 0: it serves all at once.',
    check: fractionTo(0.5),
  },
  HONE_CANARY_DAYS: {
    group: 'Learning',
    fallback: '14',
    help: 'Days after which an undecided canary waits for an admin.',
    check: whole(1, 365),
  },
  HONE_CANARY_VERDICTS: {
    group: 'Learning',
    fallback: '500',
    help: 'People’s verdicts after which an undecided canary waits for an admin.',
    check: whole(10, 100_000),
  },
  HONE_ADMIN_CHANNEL: {
    group: 'Learning',
    fallback: '',
    help: 'Where it is said what becomes of a canary: slack:TEAM:CHANNEL, discord:SERVER:CHANNEL or teams:TENANT:CONVERSATION. Empty: where the training was asked for.',
    check: thread,
  },
  HONE_TRAIN_COMMAND: {
    group: 'Learning',
    fallback: '',
    help: 'Command of a trainer of your own, run as COMMAND ROWS RESULT JOB; docs/training.md. Empty: Hone’s trainer.',
  },
  HONE_PYTHON: {
    group: 'Learning',
    fallback: '',
    help: 'Python that makes the training environment. Empty: python3 on the PATH.',
  },
  HONE_LOG: {
    group: 'Logging',
    fallback: '',
    help: 'Log level; debug includes what people write. Empty: warn for `hone start` and `hone chat`, info for the rest.',
    check: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  },
  ...channelSettings,
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settings
