import type { Attribute } from '../onnx/graph.ts';

/** Attribute values as the graph stores them. */
export const int = (value: number): Attribute => ({ type: 'int', value });
export const flag = (value: boolean): Attribute => int(value ? 1 : 0);
export const float = (value: number): Attribute => ({ type: 'float', value });
export const ints = (value: readonly number[]): Attribute => ({ type: 'ints', value });
export const string = (value: string): Attribute => ({ type: 'string', value });
