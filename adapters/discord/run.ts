import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import { followRun, type RunView } from '../shared/run.ts'
import type { Api } from './api.ts'
import { plot } from './plot.ts'
import { runEmbed } from './render.ts'

export interface RunBoard {
  readonly bot: Bot
  readonly api: Api
  readonly log: Logger
  readonly channel: string
}

/** Follows a training run in one message: bar, course of the loss, and what the gate said. Never throws. */
export async function showRun({ bot, api, log, channel }: RunBoard): Promise<void> {
  const failed = (error: unknown) => log.warn('discord.run.failed', { channel, error })
  let message = ''
  const show = async (view: RunView): Promise<void> => {
    const picture = plot(bot.learning?.steps().map(({ loss }) => loss) ?? [])
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
  await followRun(bot, show, { failed }).catch(failed)
}
