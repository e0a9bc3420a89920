import { formatNumber } from '../format.js';
import { t } from '../strings.js';
import { channels, type Theme, translucent } from '../theme.js';
import { contour, type Grid } from './contours.js';

/** Loss over a plane: [rows, columns] values between the ends of both axes. */
export interface Terrain extends Grid {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

export interface PathPoint {
  readonly x: number;
  readonly y: number;
  readonly step: number;
}

export interface PlanePath {
  readonly points: readonly PathPoint[];
  /** Index into the palette. */
  readonly color: number;
}

export interface PlaneScene {
  readonly paths: readonly PlanePath[];
  readonly terrain: Terrain | null;
  readonly step: number | null;
  readonly labels: readonly [string, string];
  readonly theme: Theme;
}

const levels = 9;

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** Paths of runs on a plane, over the contour lines of the loss where it was measured. */
export function drawPlane(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  scene: PlaneScene,
): void {
  const frame = frameOf(width, height, scene);
  const { theme } = scene;
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.width, frame.height);
  context.clip();
  if (scene.terrain) drawTerrain(context, frame, scene.terrain, theme);
  for (const path of scene.paths) drawPath(context, frame, path, scene);
  context.restore();
  context.strokeStyle = theme.grid;
  context.strokeRect(frame.left, frame.top, frame.width, frame.height);
  context.fillStyle = theme.muted;
  context.font = `11px ${theme.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'bottom';
  context.fillText(scene.labels[0], frame.left + frame.width / 2, height);
  context.save();
  context.translate(11, frame.top + frame.height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(scene.labels[1], 0, 2);
  context.restore();
}

function frameOf(width: number, height: number, { paths, terrain }: PlaneScene): Frame {
  const room = { left: 20, top: 4, width: Math.max(10, width - 26), height: Math.max(10, height - 24) };
  if (terrain) return { ...room, x: terrain.x, y: terrain.y };
  const ends = (pick: (p: PathPoint) => number): [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { points } of paths)
      for (const p of points) {
        low = Math.min(low, pick(p));
        high = Math.max(high, pick(p));
      }
    const margin = 0.12 * (high - low) || 1;
    return [low - margin, high + margin];
  };
  return { ...room, x: ends((p) => p.x), y: ends((p) => p.y) };
}

const across = ({ left, width, x }: Frame, v: number): number => left + ((v - x[0]) / (x[1] - x[0])) * width;
const down = ({ top, height, y }: Frame, v: number): number =>
  top + height - ((v - y[0]) / (y[1] - y[0])) * height;

/** Contour lines at equal ratios of the loss, darker towards the valley. */
function drawTerrain(context: CanvasRenderingContext2D, frame: Frame, terrain: Terrain, theme: Theme): void {
  const logs = Float64Array.from(terrain.values, (v) => Math.log(v));
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of logs) {
    if (!Number.isFinite(v)) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const scaleX = frame.width / (terrain.columns - 1);
  const scaleY = frame.height / (terrain.rows - 1);
  const [red, green, blue] = channels(theme.palette[0]) ?? [64, 128, 255];
  const image = new ImageData(terrain.columns, terrain.rows);
  for (let i = 0; i < terrain.rows; i++)
    for (let j = 0; j < terrain.columns; j++) {
      const depth = 1 - (logs[i * terrain.columns + j] - low) / (high - low || 1);
      const alpha = 255 * (0.04 + 0.38 * (Number.isFinite(depth) ? depth : 0));
      image.data.set([red, green, blue, alpha], 4 * ((terrain.rows - 1 - i) * terrain.columns + j));
    }
  const small = document.createElement('canvas');
  small.width = terrain.columns;
  small.height = terrain.rows;
  small.getContext('2d')?.putImageData(image, 0, 0);
  // Cells are centred on their grid points, so the picture reaches half a cell beyond the frame.
  context.drawImage(
    small,
    frame.left - scaleX / 2,
    frame.top - scaleY / 2,
    frame.width + scaleX,
    frame.height + scaleY,
  );
  const names: (readonly [number, number])[] = [];
  context.lineWidth = 1;
  context.font = `10px ${theme.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let k = 1; k <= levels; k++) {
    const level = low + (k * (high - low)) / (levels + 1);
    const pieces = contour({ ...terrain, values: logs }, level);
    context.strokeStyle = translucent(theme.foreground, 0.32);
    context.beginPath();
    for (let p = 0; p < pieces.length; p += 4) {
      context.moveTo(frame.left + pieces[p] * scaleX, frame.top + frame.height - pieces[p + 1] * scaleY);
      context.lineTo(frame.left + pieces[p + 2] * scaleX, frame.top + frame.height - pieces[p + 3] * scaleY);
    }
    context.stroke();
    const at = 4 * Math.floor((pieces.length / 4) * (0.15 + 0.08 * k));
    const [x, y] = [frame.left + pieces[at] * scaleX, frame.top + frame.height - pieces[at + 1] * scaleY];
    const free = names.every(([a, b]) => Math.abs(a - x) > 52 || Math.abs(b - y) > 16);
    if (pieces.length < 60 || !free) continue;
    names.push([x, y]);
    context.fillStyle = theme.muted;
    context.fillText(formatNumber(Math.exp(level), 2), x, y);
  }
}

function drawPath(context: CanvasRenderingContext2D, frame: Frame, path: PlanePath, scene: PlaneScene): void {
  const { theme, step } = scene;
  const { points } = path;
  const color = theme.palette[path.color % theme.palette.length];
  const place = (p: PathPoint) => [across(frame, p.x), down(frame, p.y)] as const;
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 2;
  context.beginPath();
  for (const p of points) context.lineTo(...place(p));
  context.stroke();
  for (const p of points) {
    context.beginPath();
    context.arc(...place(p), 2.6, 0, 2 * Math.PI);
    context.fill();
  }
  context.font = `11px ${theme.font}`;
  context.textBaseline = 'bottom';
  const name = (p: PathPoint, text: string) => {
    const [x, y] = place(p);
    context.textAlign = x > frame.left + frame.width / 2 ? 'right' : 'left';
    context.fillStyle = theme.foreground;
    context.fillText(text, x + (context.textAlign === 'right' ? -7 : 7), y - 5);
  };
  const [first, last] = [points[0], points[points.length - 1]];
  name(first, t('start'));
  const now = step === null ? last : (points.filter((p) => p.step <= step).pop() ?? first);
  const [x, y] = place(now);
  context.beginPath();
  context.arc(x, y, 5.5, 0, 2 * Math.PI);
  context.fillStyle = color;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = theme.card;
  context.stroke();
  name(now, t('step {0}', now.step));
}
