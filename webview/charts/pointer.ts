import type { Range } from './series.js';

/** What a chart lets the mouse and the keyboard do. */
export interface Reader {
  /** Value of the horizontal axis at a pixel of the canvas. */
  valueAt(pixel: number): number | undefined;
  /** What is shown of the horizontal axis. */
  shown(): Range;
  /** Whether equal ratios are equal distances. */
  logarithmic(): boolean;
  zoom(range: Range | null): void;
  /** A click without a drag. */
  choose(value: number): void;
  /** Moves the reading by so many points; to the first or last one with an infinite number. */
  step(points: number): void;
}

const smallestDrag = 6;

/** Drag to zoom, click to choose, double click to see all; arrows read, Shift and arrows pan, + - 0 zoom. */
export function followPointer(canvas: HTMLCanvasElement, host: HTMLElement, reader: Reader): void {
  let drag: { readonly start: number; readonly box: HTMLElement } | null = null;
  const stop = () => {
    drag?.box.remove();
    drag = null;
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const box = document.createElement('div');
    box.className = 'brush';
    host.append(box);
    drag = { start: event.offsetX, box };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!drag) return;
    drag.box.style.left = `${Math.min(drag.start, event.offsetX)}px`;
    drag.box.style.width = `${Math.abs(event.offsetX - drag.start)}px`;
  });
  canvas.addEventListener('pointerup', (event) => {
    if (!drag) return;
    const { start } = drag;
    stop();
    const [a, b] = [
      reader.valueAt(Math.min(start, event.offsetX)),
      reader.valueAt(Math.max(start, event.offsetX)),
    ];
    if (a === undefined || b === undefined) return;
    if (Math.abs(event.offsetX - start) < smallestDrag) reader.choose(a);
    else if (b > a) reader.zoom({ min: a, max: b });
  });
  canvas.addEventListener('pointercancel', stop);
  canvas.addEventListener('dblclick', () => reader.zoom(null));
  canvas.addEventListener('keydown', (event) => onKey(event, reader));
}

function onKey(event: KeyboardEvent, reader: Reader): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { min, max } = reader.shown();
  const log = reader.logarithmic() && min > 0;
  const [a, b] = log ? [Math.log(min), Math.log(max)] : [min, max];
  const back = (v: number) => (log ? Math.exp(v) : v);
  const span = b - a;
  const to = (from: number, until: number) => () => reader.zoom({ min: back(from), max: back(until) });
  const shifted: Readonly<Record<string, () => void>> = {
    ArrowLeft: to(a - span / 8, b - span / 8),
    ArrowRight: to(a + span / 8, b + span / 8),
  };
  const plain: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => reader.step(-1),
    ArrowRight: () => reader.step(1),
    PageDown: () => reader.step(-10),
    PageUp: () => reader.step(10),
    Home: () => reader.step(Number.NEGATIVE_INFINITY),
    End: () => reader.step(Number.POSITIVE_INFINITY),
    '0': () => reader.zoom(null),
    Escape: () => reader.zoom(null),
  };
  const zooms: Readonly<Record<string, () => void>> = {
    '+': to(a + span / 4, b - span / 4),
    '=': to(a + span / 4, b - span / 4),
    '-': to(a - span / 2, b + span / 2),
  };
  const act = zooms[event.key] ?? (event.shiftKey ? shifted : plain)[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
