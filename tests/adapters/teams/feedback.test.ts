import assert from 'node:assert/strict'
import { withFeedback } from '../../../adapters/teams/index.ts'
import { type Bench, openBench } from '../../fakes/teams/bench.ts'
import type { Chat } from '../../fakes/teams/chat.ts'
import { agents, botbuilder } from '../../fakes/teams/hosts.ts'

/** A reply that Anna can see, and its turn. */
async function replied(bench: Bench, chat: Chat): Promise<{ id: string; turn: string }> {
  await chat.say('How many days?')
  await chat.answered()
  await bench.bot.idle()
  const id = chat.shown().at(-1)?.id ?? ''
  const turn = await bench.bot.store.messages.find({ thread: chat.thread, id })
  return { id, turn: turn?.id ?? '' }
}
const votes = async (bench: Bench, turn: string) => (await bench.bot.store.feedback.ofTurn(turn)).votes
const json = async (response: Response) => ({ status: response.status, body: await response.json() })
type Task = {
  task: { type: string; value: { card: { content: { body: { id?: string }[]; actions: { data: object }[] } } } }
}

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`opinions in Teams (${name})`, () => {
    it('keeps a thumb with its reason before answering exactly 200 {}', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      const { id, turn } = await replied(bench, anna)
      const answer = await json(await anna.vote(id, 'dislike', { feedbackText: 'Too long' }))
      assert.deepEqual(answer, { status: 200, body: {} })
      const [vote] = await votes(bench, turn)
      assert.equal(vote?.verdict, 'down')
      assert.equal(vote?.reason, 'Too long')
      assert.equal(vote?.person, anna.personId)
    })

    it('lets a person change a vote, and each person have one', async () => {
      await using bench = await openBench(open)
      const group = { conversation: '19:group@thread.v2', kind: 'groupChat' } as const
      const [anna, ben] = [bench.chat(group), bench.chat({ ...group, who: 'Ben' })]
      const { id, turn } = await replied(bench, anna)
      await anna.vote(id, 'dislike')
      await anna.vote(id, 'like')
      await ben.vote(id, 'dislike')
      const kept = (await votes(bench, turn)).map(({ person, verdict }) => [person, verdict])
      assert.deepEqual(Object.fromEntries(kept), { [anna.personId]: 'up', [ben.personId]: 'down' })
    })

    it('does not guess which reply a vote without replyToId is about', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      const { turn } = await replied(bench, anna)
      const value = { actionName: 'feedback', actionValue: { reaction: 'like', feedback: '{"feedbackText":""}' } }
      assert.equal((await anna.invoke('message/submitAction', value)).status, 501)
      assert.deepEqual(await votes(bench, turn), [])
    })

    it('leaves votes on the host’s own messages to the host', async () => {
      await using bench = await openBench(open)
      assert.equal((await bench.chat().vote('m-of-the-host', 'like')).status, 501)
      assert.equal(bench.host.seen[0]?.name, 'message/submitAction')
    })

    it('does not take a vote from another conversation', async () => {
      await using bench = await openBench(open)
      const { id, turn } = await replied(bench, bench.chat())
      const ben = bench.chat({ conversation: 'a:ben', who: 'Ben' })
      assert.equal((await ben.vote(id, 'dislike')).status, 501)
      const data = { honeTurn: turn, verdict: 'down' }
      assert.match(await (await ben.invoke('task/submit', { data })).text(), /no reply of this bot/)
      assert.deepEqual(await votes(bench, turn), [])
    })

    it('says so when a vote could not be kept', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      const { id } = await replied(bench, anna)
      bench.bot.feedback = () => Promise.reject(new Error('disk on fire'))
      assert.equal((await anna.vote(id, 'like')).status, 500)
    })

    it('has a form of its own with reasons and a better answer, for those who want it', async () => {
      await using bench = await openBench(open, { feedback: 'custom' })
      const anna = bench.chat()
      const { id, turn } = await replied(bench, anna)
      const data = anna.shown()[0]?.activity['channelData'] as { feedbackLoop?: object }
      assert.deepEqual(data.feedbackLoop, { type: 'custom' })
      const value = { actionName: 'feedback', actionValue: { reaction: 'dislike' } }
      const { status, body } = await json(await anna.invoke('message/fetchTask', value, id))
      const { task } = body as Task
      assert.equal(status, 200)
      assert.equal(task.type, 'continue')
      assert.deepEqual(
        task.value.card.content.body.map((input) => input.id),
        ['reasons', 'note', 'better', 'verdict'],
      )
      const form = { reasons: 'Not correct,Too long', better: 'You get 25 days.', verdict: 'down', honeTurn: turn }
      assert.deepEqual(await json(await anna.vote(id, 'dislike', form)), { status: 200, body: {} })
      const { corrections } = await bench.bot.store.feedback.ofTurn(turn)
      assert.equal(corrections[0]?.text, 'You get 25 days.')
      assert.equal((await votes(bench, turn))[0]?.reason, 'Not correct,Too long')
    })

    it('links a vote without replyToId by the data of the form it came from', async () => {
      await using bench = await openBench(open, { feedback: 'custom' })
      const anna = bench.chat()
      const { turn } = await replied(bench, anna)
      const feedback = JSON.stringify({ honeTurn: turn, note: 'Good' })
      const value = { actionName: 'feedback', actionValue: { reaction: 'like', feedback } }
      assert.deepEqual(await json(await anna.invoke('message/submitAction', value)), { status: 200, body: {} })
      assert.equal((await votes(bench, turn))[0]?.verdict, 'up')
    })

    it('takes a better answer for an older reply, and withdraws a vote, through the menu of the message', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      const { id, turn } = await replied(bench, anna)
      await anna.vote(id, 'like')
      const payload = { commandId: 'honeBetterAnswer', messagePayload: { id } }
      const { body } = await json(await anna.invoke('composeExtension/fetchTask', payload))
      const [submit] = (body as Task).task.value.card.content.actions
      assert.deepEqual(submit?.data, { honeTurn: turn })
      const data = { ...submit?.data, better: '  25 days.  ', verdict: 'none' }
      const sent = await anna.invoke('composeExtension/submitAction', { ...payload, data })
      assert.match(await sent.text(), /Thank you/)
      const { corrections } = await bench.bot.store.feedback.ofTurn(turn)
      assert.equal(corrections[0]?.text, '25 days.')
      assert.ok((await votes(bench, turn)).every(({ verdict }) => verdict === 'none'))
      const other = { ...payload, messagePayload: { id: 'not-ours' } }
      assert.match(await (await anna.invoke('composeExtension/fetchTask', other)).text(), /no reply of this bot/)
    })

    it('takes a better answer in a personal chat that Teams calls by another id there, from who wrote in it', async () => {
      await using bench = await openBench(open)
      const { id, turn } = await replied(bench, bench.chat())
      const menu = { conversation: '19:aad-anna_bot@unq.gbl.spaces' }
      const payload = { commandId: 'honeBetterAnswer', messagePayload: { id } }
      const data = { honeTurn: turn, better: '25 days.' }
      const ben = bench.chat({ ...menu, who: 'Ben' })
      assert.match(await (await ben.invoke('composeExtension/fetchTask', payload)).text(), /no reply of this bot/)
      assert.match(await (await ben.invoke('composeExtension/submitAction', { data })).text(), /no reply of this bot/)
      const anna = bench.chat(menu)
      assert.match(await (await anna.invoke('composeExtension/fetchTask', payload)).text(), /You said: How many days/)
      assert.match(await (await anna.invoke('composeExtension/submitAction', { data })).text(), /Thank you/)
      const { corrections } = await bench.bot.store.feedback.ofTurn(turn)
      assert.deepEqual(
        corrections.map(({ person }) => person),
        [anna.personId],
      )
    })

    it('takes no duel that was not shown there, and no reply of another chat, whatever a card carries', async () => {
      await using bench = await openBench(open)
      const [anna, ben] = [bench.chat(), bench.chat({ conversation: 'a:ben', who: 'Ben' })]
      const turns: string[] = []
      for (const text of ['One', 'Two']) {
        await anna.say(text)
        await bench.bot.idle()
        turns.push((await bench.bot.store.turns.history(anna.thread, 9)).at(-1)?.id ?? '')
      }
      const forged = { duel: turns.join('.'), outcome: 'left' }
      for (const [who, data] of [
        [anna, forged],
        [ben, forged],
        [anna, { ...forged, duel: `${turns[0]}.nothing` }],
        [anna, { ...forged, duel: turns[0] }],
      ] as const) {
        const { body } = await json(await who.press('m1', 'hone.duel', data))
        assert.match(JSON.stringify(body), /no reply of this bot/)
      }
      await ben.invoke('task/submit', { data: { honeTurn: turns[0], verdict: 'down' } })
      assert.equal(bench.bot.said.length, 0)
      // A person named in the data is nobody: a vote is the sender's own.
      await anna.invoke('task/submit', {
        data: { honeTurn: turns[0], verdict: 'up', person: ben.personId, from: ben.personId },
      })
      assert.deepEqual(
        bench.bot.said.map(({ person }) => person.id),
        [anna.personId],
      )
    })

    it('shows a duel as a card, blind, and replaces it with what was chosen', async () => {
      const script = () => ({ chunks: ['Twenty-five.'], version: 'v1', against: { text: '25 days.', version: 'v2' } })
      await using bench = await openBench(open, { script })
      const anna = bench.chat()
      await anna.say('How many days?')
      const { id, activity } = await anna.answered()
      const [{ content }] = activity['attachments'] as [{ content: { actions: { title: string; data: object }[] } }]
      assert.match(JSON.stringify(content), /Twenty-five\..*25 days\./)
      assert.doesNotMatch(JSON.stringify(content), /\bv[12]\b/)
      assert.match(JSON.stringify(activity['entities']), /AIGeneratedContent/)
      const right = content.actions.find(({ title }) => title === 'Right is better')
      const { status, body } = await json(await anna.press(id, 'hone.duel', right?.data ?? {}))
      assert.equal(status, 200)
      assert.equal((body as { type: string }).type, 'application/vnd.microsoft.card.adaptive')
      assert.match(JSON.stringify(body), /25 days\./)
      const [said] = bench.bot.said
      assert.equal(said?.kind === 'duel' && said.outcome, 'right')
    })
  })

  describe(`observing a bot in Teams that has its own model (${name})`, () => {
    it('adds thumbs to what the host says and learns from the votes', async () => {
      await using bench = await openBench(open, { mode: 'observe' })
      let turn = ''
      bench.host.onTurn(async (context) => {
        const { text } = context.activity as { readonly text?: string }
        if (!text) return
        const answer = 'The host says 25.'
        turn = await bench.hone.observe(context, { question: text, answer, model: 'host-model' })
        await context.sendActivity(withFeedback({ type: 'message', text: answer }, turn))
      })
      const anna = bench.chat()
      await anna.say('How many days?')
      const [shown] = anna.shown()
      assert.equal(shown?.activity.text, 'The host says 25.')
      assert.match(JSON.stringify(shown?.activity['entities']), /AIGeneratedContent/)
      assert.deepEqual(shown?.activity['channelData'], { feedbackLoop: { type: 'default' } })
      assert.deepEqual(bench.bot.received, [])
      assert.equal((await anna.vote(shown?.id ?? '', 'like')).status, 200)
      assert.equal((await votes(bench, turn))[0]?.verdict, 'up')
    })
  })
}
