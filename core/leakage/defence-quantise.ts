type Values = Float32Array<ArrayBuffer>;

/** The nearest float16, ties to even: 11 bits of mantissa, subnormals below 2^-14, infinite from 65,520 on. */
export function toFloat16(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const size = Math.abs(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const unit = 2 ** (exponent - 10);
  const rounded = roundToEven(size / unit) * unit;
  return Math.sign(value) * (rounded > 65504 ? Infinity : rounded);
}

/** Halves go to the even neighbour. */
function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The nearest bfloat16, ties to even: the upper half of a float32. */
export function toBfloat16(values: Values): Values {
  const out = values.slice();
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    bits[i] = Number.isNaN(values[i]) ? word : (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  }
  return out;
}

/** Symmetric int8 with one scale for the tensor: round(127 v / max|v|), given back as multiples of the scale. */
export function toInt8(values: Values): Values {
  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
  return scale === 0 ? values.slice() : values.map((value) => roundToEven(value / scale) * scale);
}

/** 1-bit: sign(v) · mean|v| of the tensor (Bernstein et al. 2018, with the scale of Karimireddy et al. 2019). */
export function toSigns(values: Values): Values {
  const scale = values.reduce((sum, value) => sum + Math.abs(value), 0) / Math.max(1, values.length);
  return values.map((value) => Math.sign(value) * scale);
}
