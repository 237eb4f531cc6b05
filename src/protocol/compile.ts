import type { Codec } from './codec.ts'
import type { Slot, SlotType, StructLayout } from './layout.ts'
import { elementSize, methodOf, sharedDefault } from './layout.ts'
import { ProtocolError } from './protocol-error.ts'

/**
 * A codec generated as source, at the speed of one written by hand: straight-line code, one function a struct, and one
 * object literal with the same keys in every version, so that all versions of a message share one hidden class.
 * Throws `EvalError` where code may not be generated from strings.
 */
export function compile<Out, In>(layout: StructLayout): Codec<Out, In> {
  const emitter = new Emitter()
  const { read, write } = emitter.struct(layout)
  const body = `'use strict'\n${emitter.source.join('\n')}\nreturn { read: ${read}, write: ${write} }`
  return new Function('fail', 'NO_BYTES', body)(fail, NO_BYTES) as Codec<Out, In>
}

const NO_BYTES = Buffer.alloc(0)

function fail(what: string): never {
  throw new ProtocolError(what)
}

/** Names of the generated functions of a struct. */
interface Names {
  readonly read: string
  readonly write: string
}

/** Only names of the schema get into the source, never anything that a peer sent. */
class Emitter {
  readonly source: string[] = []
  private count = 0
  private readonly structs = new Map<StructLayout, Names>()
  private readonly makers = new Map<StructLayout, string>()
  private readonly checks = new Map<StructLayout, string>()

  private name(prefix: string): string {
    return `${prefix}${this.count++}`
  }

  struct(layout: StructLayout): Names {
    const known = this.structs.get(layout)
    if (known !== undefined) return known
    const names = { read: this.name('read'), write: this.name('write') }
    this.structs.set(layout, names)
    this.source.push(this.reader(names.read, layout), this.writer(names.write, layout))
    return names
  }

  private reader(name: string, layout: StructLayout): string {
    const lines = layout.slots.map((slot, i) =>
      slot.place === 'plain'
        ? `const f${i} = ${this.readValue(slot.type, slot.nullable, layout.flexible)}`
        : `${slot.place === 'tagged' ? 'let' : 'const'} f${i} = ${this.fallback(slot)}`,
    )
    if (layout.flexible) lines.push(this.readTags(layout))
    const keys = layout.slots.map((slot, i) => `${key(slot)}: f${i}`).join(', ')
    return `function ${name}(r) {\n${lines.join('\n')}\nreturn { ${keys} }\n}`
  }

  private readTags(layout: StructLayout): string {
    if (layout.tagged.length === 0) return 'r.skipTags()'
    const cases = layout.tagged.map(slot => {
      const value = this.readValue(slot.type, slot.nullable, true)
      return `case ${slot.tag}: f${layout.slots.indexOf(slot)} = ${value}; r.tagDone(end); break`
    })
    return `for (let n = r.tagCount(); n > 0; n--) {
const tag = r.uvarint(), end = r.tagEnd()
switch (tag) {
${cases.join('\n')}
default: r.position = end
}
}`
  }

  private readValue(type: SlotType, nullable: boolean, flexible: boolean): string {
    switch (type.kind) {
      case 'struct': {
        const { read } = this.struct(type.layout)
        return nullable ? `r.present() ? ${read}(r) : null` : `${read}(r)`
      }
      case 'array':
        return `${this.arrayReader(type.of, nullable, flexible)}(r)`
      default:
        return `r.${methodOf(type.kind, nullable, flexible)}()`
    }
  }

  private arrayReader(of: SlotType, nullable: boolean, flexible: boolean): string {
    const element = this.readValue(of, false, flexible)
    const method = `${flexible ? 'compact' : ''}${nullable ? 'Nullable' : ''}ArrayLength`
    const name = this.name('list')
    // The length has been checked against the bytes that are left, so it may size the array.
    this.source.push(`function ${name}(r) {
const n = r.${method[0]!.toLowerCase()}${method.slice(1)}(${elementSize(of)})
${nullable ? 'if (n < 0) return null' : ''}
const a = new Array(n)
for (let i = 0; i < n; i++) a[i] = ${element}
return a
}`)
    return name
  }

  /** An expression for the default of a field. */
  private fallback(slot: Slot): string {
    const shared = sharedDefault(slot)
    if (slot.type.kind === 'bytes' && shared !== null) return 'NO_BYTES'
    if (shared !== undefined) return JSON.stringify(shared)
    return slot.type.kind === 'struct' ? `${this.maker(slot.type.layout)}()` : '[]'
  }

  private maker(layout: StructLayout): string {
    const known = this.makers.get(layout)
    if (known !== undefined) return known
    const name = this.name('make')
    this.makers.set(layout, name)
    const keys = layout.slots.map(slot => `${key(slot)}: ${this.fallback(slot)}`).join(', ')
    this.source.push(`function ${name}() { return { ${keys} } }`)
    return name
  }

  private writer(name: string, layout: StructLayout): string {
    const lines = layout.slots.flatMap((slot, i) => {
      if (slot.place === 'tagged') return []
      return slot.place === 'plain' ? this.writePlain(slot, i, layout.flexible) : this.refuse(slot, i)
    })
    if (layout.flexible) lines.push(...this.writeTags(layout.tagged))
    return `function ${name}(w, m) {\n${lines.join('\n')}\n}`
  }

  private writePlain(slot: Slot, i: number, flexible: boolean): string[] {
    const value = `v${i}`
    const absent = slot.optional
      ? `${value} = ${this.fallback(slot)}`
      : `fail(${JSON.stringify(`field ${slot.name} is missing`)})`
    return [
      `let ${value} = m${member(slot)}`,
      `if (${value} === undefined) ${absent}`,
      this.writeValue(value, slot.type, slot.nullable, flexible),
    ]
  }

  private refuse(slot: Slot, i: number): string[] {
    if (slot.ignorable) return []
    const value = `v${i}`
    return [
      `const ${value} = m${member(slot)}`,
      `if (${value} !== undefined && !(${this.isDefault(value, slot)})) fail(${JSON.stringify(`this version has no field ${slot.name}`)})`,
    ]
  }

  private writeTags(tagged: readonly Slot[]): string[] {
    const lines = tagged.map(
      (slot, i) => `const t${i} = m${member(slot)}, s${i} = t${i} !== undefined && !(${this.isDefault(`t${i}`, slot)})`,
    )
    lines.push(`w.uvarint(${['0', ...tagged.map((_, i) => `(s${i} ? 1 : 0)`)].join(' + ')})`)
    for (const [i, slot] of tagged.entries()) {
      lines.push(`if (s${i}) {
w.uvarint(${slot.tag})
const begin = w.beginSized()
${this.writeValue(`t${i}`, slot.type, slot.nullable, true)}
w.endSized(begin)
}`)
    }
    return lines
  }

  /** A condition: whether a value, which is not undefined, is the field's default. */
  private isDefault(value: string, slot: Slot): string {
    if (sharedDefault(slot) === null) return `${value} === null`
    const { type } = slot
    if (type.kind === 'array' || type.kind === 'bytes') return `${value} !== null && ${value}.length === 0`
    if (type.kind === 'struct') return `${value} !== null && ${this.check(type.layout)}(${value})`
    return `${value} === ${this.fallback(slot)}`
  }

  private check(layout: StructLayout): string {
    const known = this.checks.get(layout)
    if (known !== undefined) return known
    const name = this.name('isDefault')
    this.checks.set(layout, name)
    const lines = layout.slots.map((slot, i) => {
      const value = `v${i}`
      return `const ${value} = m${member(slot)}\nif (${value} !== undefined && !(${this.isDefault(value, slot)})) return false`
    })
    this.source.push(`function ${name}(m) {\n${lines.join('\n')}\nreturn true\n}`)
    return name
  }

  private writeValue(value: string, type: SlotType, nullable: boolean, flexible: boolean): string {
    switch (type.kind) {
      case 'struct': {
        const { write } = this.struct(type.layout)
        if (!nullable) return `if (${value} === null) fail('null instead of a struct')\n${write}(w, ${value})`
        return `if (${value} === null) w.int8(-1)\nelse { w.int8(1); ${write}(w, ${value}) }`
      }
      case 'array':
        return `${this.arrayWriter(type.of, nullable, flexible)}(w, ${value})`
      default:
        return `w.${methodOf(type.kind, nullable, flexible)}(${value})`
    }
  }

  private arrayWriter(of: SlotType, nullable: boolean, flexible: boolean): string {
    const element = this.writeValue('a[i]', of, false, flexible)
    const method = flexible ? 'w.compactArrayLength' : 'w.arrayLength'
    const name = this.name('list')
    this.source.push(`function ${name}(w, a) {
${nullable ? `if (a === null) return ${method}(-1)` : ''}
if (!Array.isArray(a)) fail('not an array: ' + String(a))
${method}(a.length)
for (let i = 0; i < a.length; i++) { ${element} }
}`)
    return name
  }
}

function key(slot: Slot): string {
  return JSON.stringify(slot.name)
}

function member(slot: Slot): string {
  return `[${key(slot)}]`
}
