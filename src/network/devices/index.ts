import * as tf from '../tf.js';
import type { Device } from './device.js';
import { native } from './native.js';
import { plain } from './plain.js';
import { wasm } from './wasm.js';

export type { Device } from './device.js';

const devices: Readonly<Record<string, Device>> = { tensorflow: native, wasm };

/** The device of the backend in use. */
export const device = (): Device => devices[tf.getBackend()] ?? plain;
