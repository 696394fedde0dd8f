// node flows.mjs keyboard|plain: a request from its first word to the desk of the SUA, by hand of a RUP and of a clerk.
// keyboard: only keys are pressed. plain: with a mouse, and script switched off.
import { broken, check, end, fault, site, visitor } from './page.mjs'

const way = process.argv[2]
const title = `Nuova palestra comunale, prova ${way} ${process.pid}` // one of its own, also when the tests are repeated
let page

// hands are the two ways to use a page.
const hands = {
  keyboard: {
    async press(target) { await tabTo(target); await page.keyboard.press('Enter') },
    async write(target, text) { await tabTo(target); await page.keyboard.press('Control+A'); await page.keyboard.insertText(text) },
    async pick(target, label) {
      await tabTo(target)
      const chosen = () => target.evaluate(e => e.selectedOptions[0]?.textContent.trim())
      for (let i = 0; i < 100 && await chosen() !== label; i++) await page.keyboard.press('ArrowDown')
      if (await chosen() !== label) throw new Error(`the keys never come to ${label}`)
    },
    async mark(target) { await tabTo(target); await page.keyboard.press('Space') },
    async file(target, file) { await tabTo(target); await target.setInputFiles(file) }, // the window in which a file is chosen is not ours
  },
  plain: {
    press: target => target.click(),
    write: (target, text) => target.fill(text),
    pick: (target, label) => target.selectOption({ label }),
    mark: target => target.check(),
    file: (target, file) => target.setInputFiles(file),
  },
}
const { press, write, pick, mark, file } = hands[way]

// tabTo presses Tab as often as a person would, backwards when that is the shorter way, until the target has the focus. Of radio
// buttons with one name only the first or the chosen one stops the Tab key: arrows lead to the others.
async function tabTo(target) {
  await target.waitFor()
  const here = () => target.evaluate(e => e === document.activeElement || e.type === 'radio' && document.activeElement.name === e.name && e.name !== '')
  for (let i = 0; i < 300 && !await here(); i++) await page.keyboard.press('Tab')
  for (let i = 0; i < 20 && !await target.evaluate(e => e === document.activeElement); i++) await page.keyboard.press('ArrowDown')
  if (!await target.evaluate(e => e === document.activeElement)) throw new Error(`the Tab key never comes to ${target}`)
}

const heading = name => page.getByRole('heading', { level: 1, name }).waitFor()
const main = () => page.locator('main')
const button = name => main().getByRole('button', { name, exact: true })
const link = name => main().getByRole('link', { name, exact: true }).first()
const want = async text => { await main().getByText(text).first().waitFor() }
const seen = async name => { if (way === 'keyboard') await check(page, name) }

async function enter(account) {
  page = await visitor({ script: way !== 'plain' })
  await page.goto(site + '/accedi')
  await press(page.locator(`form:has(input[value="${account}"]) button`))
  await heading('Procedure')
}

// refused sends a form with mistakes: the page says what is wrong at the field, and nothing typed is lost.
async function refused() {
  await press(page.getByRole('navigation', { name: 'Principale' }).getByRole('link', { name: 'Nuova richiesta' }))
  await press(main().getByRole('link', { name: /Apri richiesta/ }))
  await heading('Apri richiesta')
  const amount = page.getByLabel(/Importo a base di gara/)
  await write(page.getByLabel(/^Oggetto/), title)
  await write(amount, 'circa un milione')
  await write(page.getByLabel(/^Finanziamento/), 'fondi propri, cap. 2510')
  await press(button('Apri richiesta'))
  await page.locator('#errori').waitFor()
  await seen('the form with its mistakes')
  for (const [field, value] of [[page.getByLabel(/^Oggetto/), title], [amount, 'circa un milione'], [page.getByLabel(/^Finanziamento/), 'fondi propri, cap. 2510']]) {
    if (await field.inputValue() !== value) fault('the form with its mistakes', `${value} is lost, there is ${await field.inputValue()}`)
  }
  if (await amount.getAttribute('aria-invalid') !== 'true') fault('the form with its mistakes', 'the amount is not marked as wrong')
  for (const id of (await amount.getAttribute('aria-describedby')).split(' ')) if (await page.locator('#' + id).count() !== 1) fault('the form with its mistakes', `#${id} does not describe the amount`)
  if (!(await page.locator('#i-amount-errore').innerText()).trim()) fault('the form with its mistakes', 'no text by the amount')
  await press(page.locator('#errori a[href="#i-amount"]'))
  if (way === 'keyboard' && await page.evaluate(() => document.activeElement.id) !== 'i-amount') await page.keyboard.press('Tab')
  await write(amount, '1.250.000,00')
  await mark(page.getByLabel('Lavori', { exact: true }))
  await press(button('Apri richiesta'))
  await heading(title)
  await want('Richiesta in bozza')
}

async function completed() {
  await press(link('Modifica i dati'))
  await write(page.getByLabel(/^Perché non è nel programma/), 'intervento finanziato dopo il programma')
  await pick(page.getByLabel(/^Procedura proposta/), 'Procedura aperta')
  await mark(page.getByLabel('Minor prezzo', { exact: true }))
  await press(button('Modifica i dati'))
  await heading(title)
  await want('Fatto: Modifica i dati')
}

async function uploaded() {
  await press(button('Carica')) // without a file
  await page.locator('#errori').waitFor()
  await page.locator('#file-errore').waitFor()
  for (const label of ['Richiesta di attivazione', 'Atto di nomina del RUP', 'Dichiarazione di assenza di conflitto di interessi', 'Quadro economico']) {
    await pick(page.getByLabel(/^Che documento è/), label)
    await file(page.locator('#file'), { name: 'documento.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 ' + label) })
    await press(button('Carica'))
    await want('Documento caricato')
    await main().getByRole('rowheader', { name: label, exact: true }).waitFor()
  }
}

// sent also asks why something is missing, and takes no sending without an answer.
async function sent() {
  await press(link('Trasmetti alla SUA'))
  await heading('Trasmetti alla SUA')
  await press(button('Trasmetti alla SUA'))
  await page.locator('#errori').waitFor()
  await want('Non ho registrato nulla')
  await seen('the warning without a reason')
  for (const reason of await page.locator('[name^="w."]').all()) await write(reason, 'arriva con la PEC di domani')
  await press(button('Trasmetti alla SUA'))
  await heading(title)
  await want('Richiesta trasmessa alla SUA')
}

async function takenInCharge() {
  await write(page.getByLabel(/^Cerca/), title)
  await press(button('Filtra'))
  await press(link(title))
  await heading(title)
  await press(link('Prendi in carico'))
  await press(button('Prendi in carico'))
  await heading(title)
  await want('In istruttoria SUA')
}

// followed finds the term of the law among the deadlines, and the case as it was before.
async function followed() {
  const here = page.url().split('?')[0]
  await press(page.getByRole('navigation', { name: 'Principale' }).getByRole('link', { name: 'Scadenze' }))
  await heading('Scadenze')
  await mark(page.getByLabel('Tutte', { exact: true }))
  await press(button('Filtra'))
  await main().getByRole('listitem').filter({ hasText: title }).first().waitFor()
  await seen('the deadlines with the new case')
  await page.goto(here)
  await press(page.getByRole('link', { name: 'Che cosa è successo' }))
  await heading('Storia')
  await want('Storia integra')
  await want('arriva con la PEC di domani')
  await seen('the history of the new case')
  await press(button("Mostra com'era"))
  await heading("Com'era")
  await want('ricostruita dai soli eventi')
  await want('In istruttoria SUA')
}

try {
  await enter('demo-rup-conselve')
  await refused()
  await completed()
  await uploaded()
  await sent()
  await enter('demo-istruttore-sua')
  await takenInCharge()
  await followed()
} catch (e) {
  await broken(page, 'flow-' + way, e)
}
await end()
