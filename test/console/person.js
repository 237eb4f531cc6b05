// What a person does with the console, from an empty broker on, with a mouse and with keys. Each step fails aloud.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import puppeteer from 'puppeteer-core'

const { values: options } = parseArgs({
  options: {
    root: { type: 'string' },
    pictures: { type: 'string' },
    messages: { type: 'string', default: '1000000' },
    chromium: { type: 'string', default: process.env.CHROMIUM ?? '/usr/bin/chromium' },
  },
})
const messages = Number(options.messages)
/** The checkout, built. */
const root = options.root

const port = await freePort()
const base = `http://localhost:${port}`
const ottla = words => [join(root, 'bin/ottla.js'), ...words]
const broker = spawn(process.execPath, ottla(['start', '--port', String(port), '--memory']), {
  stdio: ['ignore', 'ignore', 'inherit'],
})
const browser = await puppeteer.launch({
  executablePath: options.chromium,
  headless: true,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-prefers-reduced-motion'],
})

let passed = 0
let failed = 0
const complaints = []
let bytes = 0
try {
  await until('the broker answers', async () => (await fetch(`${base}/health`).catch(() => null))?.ok)
  const page = await newPage({ width: 1280, height: 820 })

  await step('an empty broker offers to send the first message', async () => {
    await page.goto(base)
    await page.waitForSelector('.welcome textarea')
    assert.match(await text(page, '.cards'), /1 of 1/)
    await picture(page, 'console-empty')
  })

  await step('the first message is sent, and shown in its topic', async () => {
    await type(page, '.welcome [name=value]', '{"greeting": "Hello, Kafka!", "id": 1}')
    await type(page, '.welcome [name=key]', 'first')
    await press(page, '.welcome button[type=submit]')
    await page.waitForSelector('.message')
    assert.match(await text(page, 'h1'), /hello/)
    assert.match(await text(page, '.message'), /first.*Hello, Kafka!/s)
  })

  await step('a message can be looked at, changed, and sent again', async () => {
    await press(page, '.message')
    assert.match(await text(page, '.record pre'), /"greeting": "Hello, Kafka!"/)
    await page.evaluate(() => [...document.querySelectorAll('.record button')][0].click())
    await page.waitForSelector('dialog [name=value]')
    await type(page, 'dialog [name=value]', '{"greeting": "Hello again", "id": 2}', true)
    await type(page, 'dialog [name=headers]', 'trace: 42')
    await press(page, 'dialog button[type=submit]')
    await until('two messages', async () => (await page.$$('.message')).length === 2)
    assert.match(await text(page, '.message'), /Hello again/)
  })

  await step('what is written shows live', async () => {
    await page.select('[name=mode]', 'live')
    await page.waitForFunction(() => document.querySelector('.status')?.textContent.includes('Live'))
    await sleep(500)
    await post('/topics/hello/records', { key: 'k', value: 'it is live' })
    await page.waitForFunction(() => document.querySelector('.message')?.textContent.includes('it is live'))
  })

  await step('a topic is made with keys alone', async () => {
    await page.keyboard.press('g')
    await page.keyboard.press('t')
    await page.waitForFunction(() => document.querySelector('h1').textContent === 'Topics')
    await page.keyboard.press('n')
    await page.waitForSelector('dialog[open] [name=name]')
    await page.keyboard.type('orders')
    await page.keyboard.press('Tab')
    await page.keyboard.type('3')
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.querySelector('h1').textContent === 'orders')
    const { partitions } = await (await fetch(`${base}/topics/orders`)).json()
    assert.equal(partitions.length, 3)
  })

  await step(`one of ${messages} messages is found, over all partitions`, async () => {
    await fill('orders', messages)
    await page.goto(`${base}/#/topics/orders`)
    await page.reload()
    await page.waitForSelector('.message')
    await picture(page, 'console-messages')
    const began = Date.now()
    await page.keyboard.press('/')
    await page.keyboard.type('"needle"')
    await page.keyboard.press('Enter')
    await page.waitForFunction(
      all => document.querySelector('.status[role=status]')?.textContent.includes(`1 found, ${all} of ${all}`),
      { timeout: 120_000 },
      messages.toLocaleString('en'),
    )
    assert.match(await text(page, '.message'), /needle/)
    console.log(`  ${messages} messages looked at in ${Date.now() - began} ms`)
    await press(page, 'button[aria-expanded]')
    await type(page, '[name=find-value]', '', true)
    await type(page, '[name=find-path]', `customer.id=${messages - 3}`)
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.querySelectorAll('.message').length === 1, { timeout: 120_000 })
    await page.waitForFunction(() => /^ ?1 found/.test(document.querySelector('.status[role=status]')?.textContent), {
      timeout: 120_000,
    })
  })

  await step('a group is shown with its lag, and reset after a preview', async () => {
    const words = [
      'consume',
      'orders',
      '--bootstrap-server',
      `localhost:${port}`,
      '--group',
      'billing',
      '--from-beginning',
    ]
    execFileSync(process.execPath, ottla([...words, '--max-messages', '1000']), {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await page.goto(`${base}/#/groups/billing`)
    await page.waitForSelector('tbody tr')
    const lagOf = async () => (await (await fetch(`${base}/groups/billing`)).json()).lag
    const before = await lagOf()
    assert.ok(before > 0, `lag ${before}`)
    await page.waitForFunction(
      lag => document.querySelector('.about').textContent.includes(lag),
      {},
      before.toLocaleString('en'),
    )
    await byText(page, 'button', 'Reset …')
    await page.select('dialog [name=to]', 'latest')
    await press(page, 'dialog button[type=submit]')
    await page.waitForSelector('dialog tbody tr')
    assert.equal(await lagOf(), before)
    await picture(page, 'console-reset')
    await press(page, 'dialog button[type=submit]')
    await until('the group stands at the end', async () => (await lagOf()) === 0)
  })

  await step('workers that pull are seen', async () => {
    const pull = await fetch(`${base}/topics/orders/pull?group=workers&max=5`, { method: 'POST' })
    assert.equal((await pull.json()).records.length, 5)
    await page.goto(`${base}/#/groups`)
    await byText(page, 'main a', 'workers')
    await page.waitForFunction(() => document.querySelector('tbody')?.textContent.includes('orders'))
    const held = await page.$$eval('td[data-title="With workers"]', cells =>
      cells.map(cell => Number(cell.textContent)),
    )
    assert.equal(
      held.reduce((sum, each) => sum + each, 0),
      5,
    )
  })

  await step('a topic is deleted only when its name was typed', async () => {
    await page.goto(`${base}/#/topics/hello`)
    await byText(page, 'button', 'Delete …')
    await page.waitForSelector('dialog input')
    await type(page, 'dialog input', 'hell')
    assert.equal(await page.$eval('dialog button[type=submit]', button => button.disabled), true)
    await type(page, 'dialog input', 'o')
    await press(page, 'dialog button[type=submit]')
    await until('it is gone', async () => (await fetch(`${base}/topics/hello`)).status === 404)
  })

  await step('a setting is changed', async () => {
    await page.goto(`${base}/#/topics/orders/settings`)
    await page.waitForSelector('tbody tr')
    await type(page, 'main input[type=search]', 'retention.ms')
    await byText(page, 'button.link', 'retention.ms')
    await type(page, 'dialog [name=value]', '3600000', true)
    await press(page, 'dialog button[type=submit]')
    await until('it is there', async () => {
      const { configs } = await (await fetch(`${base}/topics/orders/configs`)).json()
      return configs.find(({ name }) => name === 'retention.ms').value === '3600000'
    })
  })

  await step('it is dark where that is wanted, and fits a phone', async () => {
    await page.goto(base)
    await page.waitForSelector('.plot')
    await traffic(options.pictures === undefined ? 5000 : 40_000)
    await picture(page, 'console-overview')
    const phone = await newPage({ width: 390, height: 780, isMobile: true, deviceScaleFactor: 2 })
    await phone.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
    for (const place of ['', 'topics', 'topics/orders', 'topics/orders/settings', 'groups/billing', 'nodes']) {
      await phone.goto(`${base}/#/${place}`)
      await phone.reload()
      await phone.waitForSelector('h1')
      await sleep(700)
      const wide = await phone.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(wide <= 390, `/${place} is ${wide} pixels wide`)
      if (place === 'topics/orders') await picture(phone, 'console-phone')
    }
    const ground = await phone.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    assert.equal(ground, 'rgb(19, 19, 24)')
  })

  await step('it is small, asks nobody else, and nothing went wrong', async () => {
    assert.deepEqual(complaints, [])
    assert.ok(bytes < 150_000, `${bytes} bytes`)
    console.log(`  ${bytes} bytes for the page itself`)
  })
} finally {
  await browser.close()
  broker.kill()
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)

async function step(name, run) {
  const began = Date.now()
  try {
    await run()
    passed++
    console.log(`passed ${name} (${Date.now() - began} ms)`)
  } catch (error) {
    failed++
    console.log(`FAILED ${name}: ${error.stack}`)
  }
}

async function newPage(viewport) {
  const page = await browser.newPage()
  await page.setViewport(viewport)
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('request', each => {
    if (!each.url().startsWith(base) && !each.url().startsWith('data:')) complaints.push(`asked ${each.url()}`)
  })
  let first = bytes === 0
  page.on('response', async answer => {
    if (!first || !/\/$|\/console\//.test(new URL(answer.url()).pathname)) return
    bytes += Number(answer.headers()['content-length'])
    if (answer.url().endsWith('.js')) first = false
  })
  return page
}

async function picture(page, name) {
  if (options.pictures === undefined) return
  mkdirSync(options.pictures, { recursive: true })
  await page.screenshot({ path: join(options.pictures, `${name}.png`) })
}

function text(page, selector) {
  return page.$eval(selector, element => element.textContent)
}

async function type(page, selector, value, instead = false) {
  await page.waitForSelector(selector)
  if (instead) await page.$eval(selector, element => element.select())
  else await page.focus(selector)
  if (instead) await page.focus(selector)
  if (value === '') await page.keyboard.press('Delete')
  else await page.keyboard.type(value)
}

async function press(page, selector) {
  await page.waitForSelector(selector)
  await page.$eval(selector, element => element.click())
}

async function byText(page, selector, wanted) {
  const found = () =>
    page.evaluate(
      (selector, wanted) => {
        const element = [...document.querySelectorAll(selector)].find(each => each.textContent.trim() === wanted)
        element?.click()
        return element !== undefined
      },
      selector,
      wanted,
    )
  await until(`${selector} "${wanted}"`, found)
}

async function until(what, holds) {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) if (await holds()) return
  throw new Error(`20 s were not enough until ${what}`)
}

async function post(path, body) {
  const answer = await fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.ok(answer.ok, await answer.text())
}

/** Now more, now fewer messages, for a while. */
async function traffic(forMs) {
  const began = Date.now()
  for (let at = 0; at < forMs; at = Date.now() - began) {
    const count = Math.round(40 + 30 * Math.sin(at / 4000) + 10 * Math.sin(at / 900))
    const records = Array.from({ length: count }, (_, i) => ({
      key: `customer-${i}`,
      value: { customer: { id: i }, amount: at },
    }))
    await post('/topics/orders/records', { records })
    await sleep(40)
  }
}

/** Many messages in one request, line by line; one of them has a needle. */
async function fill(topic, count) {
  await new Promise((resolve, reject) => {
    const sending = request(
      `${base}/topics/${topic}/records`,
      { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } },
      answer => {
        answer.resume()
        answer.on('end', () => (answer.statusCode < 300 ? resolve() : reject(new Error(`${answer.statusCode}`))))
      },
    )
    sending.on('error', reject)
    const needle = Math.floor(count / 3)
    let sent = 0
    const more = () => {
      while (sent < count) {
        const lines = []
        for (let i = 0; i < 500 && sent < count; i++, sent++) {
          const value = { customer: { id: sent }, amount: (sent * 7) % 1000, note: sent === needle ? 'needle' : 'hay' }
          lines.push(JSON.stringify({ key: `customer-${sent % 1000}`, value }))
        }
        if (!sending.write(`${lines.join('\n')}\n`)) {
          sending.once('drain', more)
          return
        }
      }
      sending.end()
    }
    more()
  })
}

async function freePort() {
  const server = createServer()
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise(done => server.close(done))
  return port
}
