// node walk.mjs ACCOUNT: every page that the menu and the lists lead this person to.
import { broken, check, end, fault, long, look, signIn, site, visitor } from './page.mjs'

const account = process.argv[2]
const page = await visitor()
let looked = 0
const see = async (path, status) => { looked++; await look(page, path, status) }
const hrefs = async selector => [...new Set(await page.locator(selector).evaluateAll(all => all.map(a => a.getAttribute('href'))))]

// kinds are the cases of the lists, one for each workflow and state (without long: for each workflow).
async function kinds() {
  const found = new Map()
  await page.goto(site + '/procedure')
  const flows = (await page.locator('#flusso option').evaluateAll(all => all.map(o => o.value))).filter(Boolean)
  for (const flow of flows) {
    let next = `/procedure?quali=tutte&collegate=si&flusso=${flow}`
    while (next) {
      await page.goto(site + next)
      for (const [path, state] of await page.locator('.sua-list tbody tr').evaluateAll(rows => rows.map(r => [r.querySelector('th a').getAttribute('href'), r.querySelector('[data-label=Stato]').textContent.trim()]))) {
        const kind = long ? `${flow} ${state}` : flow
        if (!found.has(kind)) found.set(kind, { path, flow })
      }
      next = long && await page.locator('a[rel=next]').count() > 0 ? await page.locator('a[rel=next]').first().getAttribute('href') : ''
    }
  }
  return [...found.values()]
}

// opened are the forms and histories already looked at: one of each is enough.
const opened = new Set()
const first = key => !opened.has(key) && opened.add(key)

// whole is a case with what can be opened from its page.
async function whole({ path, flow }, forms) {
  await see(path)
  const all = (await hrefs('main a[href*="/azioni/"], main a[href*="/termini/"]')).filter(href => first(flow + href.split('/').pop()))
  for (const form of all.slice(0, forms)) await see(form)
  if (!first(flow)) return
  await see(path + '/storia')
  await page.getByRole('button', { name: "Mostra com'era" }).click()
  looked++
  await check(page, path + '/com-era')
}

try {
  await look(page, '/accedi')
  await signIn(page, account)
  const menu = await hrefs('nav[aria-label=Principale] a')
  for (const path of menu) await see(path)
  for (const path of ['/scadenze?quali=ente&entro=tutte', '/malfunzionamenti']) await see(path)
  await page.goto(site + '/procedure/nuova')
  for (const path of await hrefs('main a[href^="/procedure/nuova/"]')) await see(path)
  await page.goto(site + '/avvisi')
  for (const path of await hrefs('main a[href^="/avvisi/"]')) await see(path)
  if (long) {
    for (const path of ['/procedure?quali=tutte&collegate=si', '/procedure?testo=nulla+di+simile', '/procedure?quali=concluse', '/procedure?entro=x', '/scadenze?stato=sospese', '/avvisi?quali=tutti', '/contatti', '/condizioni']) await see(path)
    await see('/procedure/nessuna', 404)
    await page.goto(site + '/flussi')
    for (const path of await hrefs('main a[href^="/flussi/"]')) await see(path)
  }
  const cases = await kinds()
  if (cases.length < 3) fault(account, `the lists lead to ${cases.length} kinds of cases`)
  for (const [i, one] of cases.slice(0, long ? undefined : 3).entries()) {
    if (long) await whole(one)
    else if (i === 0) await whole(one, 2)
    else await see(one.path)
  }
  console.error(`${account}: ${looked} pages, ${cases.length} kinds of cases`)
} catch (e) {
  await broken(page, 'walk-' + account, e)
}
await end()
