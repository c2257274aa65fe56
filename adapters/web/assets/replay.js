// The replay page: puts each message in its place as it is answered. Filters and forms work without this.

(() => {
  const one = (id) => document.getElementById(id)
  let stream

  /** Follows the replay that is shown, from what is shown of it. */
  function follow() {
    const list = one('replayed')
    const address = list?.dataset.events
    if (address === stream?.address) return
    stream?.source.close()
    stream = undefined
    if (!address) return
    const source = new EventSource(`${address}&after=${list.children.length}`)
    stream = { address, source }
    source.addEventListener('turn', ({ data }) => {
      const { nth, html, summary, line } = JSON.parse(data)
      // Told already, before the connection broke.
      if (nth !== list.children.length) return
      list.insertAdjacentHTML('beforeend', html)
      for (const time of list.lastElementChild.querySelectorAll('time[datetime]'))
        time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
      one('replay-summary').innerHTML = summary
      one('replay-bar').value = nth + 1
      one('replay-line').textContent = line
    })
    source.addEventListener('end', () => {
      source.close()
      htmx.trigger(document.body, 'replay')
    })
  }

  follow()
  document.addEventListener('htmx:after:swap', follow)
  addEventListener('pagehide', () => stream?.source.close())
})()
