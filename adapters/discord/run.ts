import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import { followRun, type RunView } from '../shared/run.ts'
import type { Api } from './api.ts'
import { plot } from './plot.ts'
import { runEmbed } from './render.ts'
import { troubleOf } from './trouble.ts'

export interface RunBoard {
  readonly bot: Bot
  readonly api: Api
  readonly log: Logger
  readonly channel: string
  readonly tenant: string
  /** Aborted when the bot is detached: then nothing more is shown. */
  readonly signal: AbortSignal
}

/** Follows a training run in one message: bar, course of the loss, and what the gate said. Never throws. */
export async function showRun({ bot, api, log, channel, tenant, signal }: RunBoard): Promise<void> {
  const lost = new AbortController()
  const over = AbortSignal.any([signal, lost.signal])
  const failed = (error: unknown) => {
    log.warn('discord.run.failed', { channel, error })
    const trouble = troubleOf(error)
    if (trouble === 'deleted' || trouble === 'closed') lost.abort()
  }
  let message = ''
  const show = async (view: RunView): Promise<void> => {
    if (over.aborted) return
    const picture = plot(bot.learning?.steps(tenant).map(({ loss }) => loss) ?? [])
    const name = 'loss.png'
    const content = {
      embeds: [runEmbed(view, picture ? name : undefined)],
      allowed_mentions: { parse: [] },
      ...(picture ? { attachments: [{ id: 0, filename: name }] } : {}),
    }
    const files = picture ? [{ name, data: picture, contentType: 'image/png' }] : []
    if (message) await api.edit(channel, message, content, files)
    else message = (await api.post(channel, { embeds: [runEmbed(view)], allowed_mentions: { parse: [] } })).id
    if (!view.ended) await sleep(api.pace.gap(channel))
  }
  await followRun(bot, show, { failed, tenant, signal: over }).catch(failed)
}
