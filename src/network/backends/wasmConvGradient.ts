import * as tf from '../tf.js';
import { type Info, kernelOf, replaceKernel, type WasmBackend } from './wasmKernel.js';

/**
 * The gradient of a convolution by its filter, which the wasm backend lacks, as a forward convolution of the transposed
 * input with the transposed output gradient: batch and channels change places and the stride becomes the dilation.
 */
export function addConvFilterGradient(): void {
  replaceKernel(tf.Conv2DBackpropFilter, (_none, { inputs, backend, attrs }) => {
    const { x, dy } = inputs;
    if (attrs['dataFormat'] !== 'NHWC')
      throw new Error('The wasm backend differentiates NHWC convolutions only.');
    const info = tf.backend_util.computeConv2DInfo(
      x.shape as [number, number, number, number],
      attrs['filterShape'] as [number, number, number, number],
      attrs['strides'] as [number, number],
      1,
      attrs['pad'] as 'same',
      attrs['dimRoundingMode'] as 'floor',
    );
    const made: Info[] = [];
    const step = (name: string, of: Record<string, Info>, options: Record<string, unknown>): Info => {
      const out = kernelOf(name)({ inputs: of, backend, attrs: options });
      made.push(out);
      return out;
    };
    const { top, bottom, left, right } = info.padInfo;
    const paddings = [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ];
    const padded = step(tf.PadV2, { x }, { paddings, constantValue: 0 });
    const image = step(tf.Transpose, { x: padded }, { perm: [3, 1, 2, 0] });
    const filter = step(tf.Transpose, { x: dy }, { perm: [1, 2, 0, 3] });
    const wide = step(
      tf.Conv2D,
      { x: image, filter },
      { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', dilations: [info.strideHeight, info.strideWidth] },
    );
    // A stride that does not divide the image leaves rows over, which no output has seen.
    const size = [info.inChannels, info.filterHeight, info.filterWidth, info.outChannels];
    const cut = step(tf.Slice, { x: wide }, { begin: [0, 0, 0, 0], size });
    const out = kernelOf(tf.Transpose)({ inputs: { x: cut }, backend, attrs: { perm: [1, 2, 0, 3] } });
    for (const temporary of made) (backend as WasmBackend).disposeData(temporary.dataId);
    return out;
  });
}
