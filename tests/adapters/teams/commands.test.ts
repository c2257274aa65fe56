import assert from 'node:assert/strict'
import { type FakeLearning, fakeLearning } from '../../fakes/learning.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
import { type Bench, jumpingClock, openBench } from '../../fakes/teams/bench.ts'
import { type Chat, tenant } from '../../fakes/teams/chat.ts'
import { agents, botbuilder } from '../../fakes/teams/hosts.ts'

const last = (chat: Chat) => chat.shown().at(-1)
const board = (chat: Chat) => JSON.stringify(last(chat)?.activity['attachments'])

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`commands in Teams (${name})`, () => {
    let learning: FakeLearning
    const bench = () => {
      const store = memoryStore()
      learning = fakeLearning(store)
      return openBench(open, { store, learning, admins: ['aad-anna'] })
    }
    /** The real core starts the run; the fake one only says that it was asked to. */
    const training = (on: Bench) => {
      const { command } = on.bot
      on.bot.command = async (request) => {
        if (request.text !== 'retrain') return command(request)
        if (!request.admin) return { ok: false, text: 'For admins.' }
        await learning.start(request.person.id)
        return { ok: true, text: 'Training has started.' }
      }
    }

    it('are messages that begin with the command word, in groups after the mention', async () => {
      await using on = await bench()
      const anna = on.chat()
      await anna.say('hone status')
      assert.equal(last(anna)?.activity.text, 'Command: **status**')
      await anna.say('/hone why b_1')
      assert.equal(last(anna)?.activity.text, 'Command: **why b_1**')
      const channel = on.chat({ conversation: '19:team@thread.tacv2;messageid=17', kind: 'channel' })
      await channel.say('hone versions')
      assert.equal(last(channel)?.activity.text, 'Command: **versions**')
      await anna.say('Honey is sweet')
      await anna.answered()
      await on.bot.idle()
      assert.equal(on.bot.received.length, 1)
      assert.equal(JSON.stringify(last(anna)?.activity).includes('AIGenerated'), true)
    })

    it('know admins by their Entra object id', async () => {
      await using on = await bench()
      const asked: boolean[] = []
      on.bot.command = async ({ admin }) => {
        asked.push(admin)
        return { ok: true, text: 'done' }
      }
      await on.chat().say('hone rollback')
      await on.chat({ conversation: 'a:ben', who: 'Ben' }).say('hone rollback')
      assert.deepEqual(asked, [true, false])
      await on.chat().say('What is new?')
      await on.chat({ conversation: 'a:ben', who: 'Ben' }).say('What is new?')
      assert.deepEqual(
        on.bot.received.map(({ admin }) => admin),
        [true, undefined],
      )
      await on.bot.idle()
    })

    it('show on the board a run that was started elsewhere', async () => {
      await using on = await bench()
      await learning.start('web:somebody')
      const anna = on.chat()
      await anna.say('hone board')
      assert.match(board(anna), /Cancel the run/)
      assert.doesNotMatch(board(anna), /Train now/)
    })

    it('keep the board up to date through runs that were started elsewhere, before and after it was shown', async () => {
      await using on = await bench()
      const anna = on.chat()
      await anna.say('hone board')
      assert.match(board(anna), /Train now/)
      for (const verdict of ['refuse', 'promote'] as const) {
        await learning.start('web:somebody')
        await on.connector.until(() => /Cancel the run/.test(board(anna)))
        await learning.advance(7)
        await on.connector.until(() => /7\/40.*Cancel the run/.test(board(anna)))
        await learning.finish(verdict)
        await on.connector.until(() => (verdict === 'promote' ? /The new version serves/ : /refused/).test(board(anna)))
      }
      assert.equal(anna.shown().length, 1)
    })

    it('know admins whose ids were written in capitals, and their tenants', async () => {
      await using on = await openBench(open, { admins: ['AAD-ANNA'], tenants: [tenant.toUpperCase()] })
      const anna = on.chat()
      await anna.say('hone board')
      assert.match(board(anna), /Command: \*\*status\*\*/)
    })

    it('are done once, however often Teams sends them', async () => {
      await using on = await bench()
      let count = 0
      on.bot.command = async () => ({ ok: true, text: `done ${++count}` })
      const anna = on.chat()
      await anna.say('hone rollback', 'same')
      await anna.say('hone rollback', 'same')
      assert.equal(count, 1)
      assert.equal(anna.shown().length, 1)
    })

    it('are done once, also by a process that starts after a crash', async () => {
      const store = memoryStore()
      let count = 0
      for (const restart of [1, 2]) {
        await using on = await openBench(open, { store, admins: ['aad-anna'] })
        on.bot.command = async ({ text }) => ({ ok: true, text: `${text} ${++count} ${restart}` })
        await on.chat().say('hone rollback', 'sent-again')
      }
      assert.equal(count, 1)
      assert.deepEqual(await store.inbox.unsettled(), [])
    })

    it('are done once when a press of a button is replayed', async () => {
      await using on = await bench()
      const asked: string[] = []
      on.bot.command = async ({ text }) => ({ ok: true, text: `done ${asked.push(text)}` })
      const value = { action: { type: 'Action.Execute', verb: 'hone.board', data: { command: 'rollback' } } }
      const press = { type: 'invoke', name: 'adaptiveCard/action', replyToId: 'm1', value, id: 'overheard' }
      const anna = on.chat()
      assert.match(await (await anna.post(press)).text(), /done 1/)
      assert.equal((await anna.post(press)).status, 200)
      assert.deepEqual(
        asked.filter((text) => text === 'rollback'),
        ['rollback'],
      )
    })

    it('say so when they fail', async () => {
      await using on = await bench()
      on.bot.command = () => Promise.reject(new Error('disk on fire'))
      const anna = on.chat()
      await anna.say('hone versions')
      assert.match(String(last(anna)?.activity.text), /failed; the log says why/)
    })

    it('are refused while somebody else’s run goes on, which the board shows', async () => {
      await using on = await bench()
      await learning.start('terminal:ben')
      const { command } = on.bot
      on.bot.command = async (request) => {
        if (request.text !== 'retrain') return command(request)
        await learning.advance(3)
        return { ok: false, text: 'A run is going on.' }
      }
      const anna = on.chat()
      await anna.say('hone retrain')
      await anna.say('hone board')
      assert.equal(anna.shown().length, 2)
      assert.match(board(anna), /Cancel the run|3\/40/)
    })

    it('show a training run in one message that is edited, and how it ended', async () => {
      await using on = await bench()
      training(on)
      const anna = on.chat()
      await anna.say('hone retrain')
      await on.connector.until(() => anna.shown().some(({ activity }) => activity['attachments']))
      await learning.advance(12)
      await learning.finish('promote')
      await on.connector.until(() =>
        on.connector.calls.some(({ activity }) => /new version serves/.test(JSON.stringify(activity))),
      )
      const cards = anna.shown().filter(({ activity }) => activity['attachments'])
      assert.equal(cards.length, 1)
      assert.match(JSON.stringify(cards[0]), /12\/40.*loss 0\.\d+ [▁-█]+.*✔ Prefers what people preferred/)
      assert.deepEqual(
        on.connector.calls.filter(({ fault }) => fault),
        [],
      )
    })

    it('show the board to admins only', async () => {
      await using on = await bench()
      const anna = on.chat()
      await anna.say('hone board')
      assert.match(board(anna), /Command: \*\*status\*\*.*v0 serves.*Train now/)
      const ben = on.chat({ conversation: 'a:ben', who: 'Ben' })
      await ben.say('hone board')
      assert.match(String(last(ben)?.activity.text), /for admins/)
    })

    it('train and roll back from the board, asking once more before what changes the bot', async () => {
      await using on = await bench()
      training(on)
      const anna = on.chat()
      await anna.say('hone board')
      const card = last(anna)?.id ?? ''
      const press = async (command: string) => (await anna.press(card, 'hone.board', { command })).json()
      assert.match(JSON.stringify(await press('retrain')), /Training has started.*Cancel the run/)
      await learning.advance(5)
      await on.connector.until(() => /5\/40/.test(board(anna)))
      await learning.finish('promote')
      await on.connector.until(() => /The new version serves/.test(board(anna)))
      assert.match(board(anna), /Action\.ShowCard","title":"Roll back".*Yes: roll back/)
      assert.match(board(anna), /"title":"Promote v0"/)
      assert.match(JSON.stringify(await press('rollback')), /Command: \*\*rollback\*\*/)
    })

    it('answer a button in time, and finish the board later, when the command is slow', async () => {
      const clock = jumpingClock()
      const slow = Promise.withResolvers<void>()
      await using on = await openBench(open, { admins: ['aad-anna'], clock })
      const anna = on.chat()
      await anna.say('hone board')
      const { command } = on.bot
      on.bot.command = async (request) => {
        if (request.text === 'promote v1') await slow.promise
        return command(request)
      }
      // The alarm of the text command is still set.
      await clock.ring()
      const pressed = anna.press(last(anna)?.id ?? '', 'hone.board', { command: 'promote v1' })
      await clock.ring()
      assert.match(((await (await pressed).json()) as { value: string }).value, /takes a moment/)
      slow.resolve()
      await on.connector.until(() => /Command: \*\*promote v1\*\*/.test(board(anna)))
    })

    it('do not keep Teams waiting for what can not be said yet', async () => {
      const stuck = { now: () => 0, wait: () => new Promise(() => undefined), alarm: async () => undefined }
      await using on = await openBench(open, { clock: stuck })
      on.connector.refuseNext(() => true, { status: 429, code: 'TooManyRequests', message: 'Later', retryAfter: 3600 })
      assert.equal((await on.chat().say('Sources')).status, 200)
    })

    it('refuse buttons of the board to others', async () => {
      await using on = await bench()
      const ben = on.chat({ who: 'Ben' })
      const answer = (await (await ben.press('m1', 'hone.board', { command: 'retrain' })).json()) as { value: string }
      assert.match(answer.value, /for admins/)
      assert.deepEqual(learning.calls, [])
    })

    it('reach a conversation without being asked', async () => {
      await using on = await bench()
      const anna = on.chat()
      await anna.say('Hello')
      await anna.answered()
      await on.bot.idle()
      await on.bot.notify(anna.thread, 'The run has **ended**.')
      assert.equal(last(anna)?.activity.text, 'The run has **ended**.')
    })
  })
}
