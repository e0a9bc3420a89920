/** Outlines on a 16 by 16 grid, drawn with the text's colour. */
const shapes = {
  play: '<path d="M4.5 3v10l8-5z" fill="currentColor"/>',
  pause: '<path d="M5 3v10M11 3v10" stroke-width="2.4"/>',
  step: '<path d="M3.5 3v10l6-5z" fill="currentColor"/><path d="M12 3v10" stroke-width="2"/>',
  stop: '<rect x="4" y="4" width="8" height="8" fill="currentColor"/>',
  info: '<circle cx="8" cy="8" r="6"/><path d="M8 7.2v4M8 4.6v.2" stroke-width="1.6"/>',
  table: '<rect x="2.5" y="3" width="11" height="10" rx="1"/><path d="M2.5 6.5h11M2.5 9.8h11M6.5 6.5V13"/>',
  share: '<path d="M8 2v8M5 4.8 8 2l3 2.8M3 9v4.5h10V9"/>',
  report: '<path d="M4 2h5.5L12.5 5v9h-8.5zM9.5 2v3h3"/><path d="M6 8h4.5M6 10.5h4.5"/>',
  compare: '<path d="M2.5 12.5 6 7l3 3 4.5-6.5"/><path d="M2.5 9 6 4.5l3 3 4.5-4" opacity=".5"/>',
  reset: '<circle cx="7" cy="7" r="4.5"/><path d="m10.4 10.4 3.4 3.4M5 7h4"/>',
  close: '<path d="m4 4 8 8M12 4l-8 8"/>',
  front: '<path d="M8 13V4M4.5 7 8 3.5 11.5 7"/>',
  live: '<circle cx="8" cy="8" r="2.2" fill="currentColor"/><path d="M4.4 11.6a5 5 0 0 1 0-7.2M11.6 4.4a5 5 0 0 1 0 7.2"/>',
} as const;

export type IconName = keyof typeof shapes;

export function icon(name: IconName, slot?: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('width', '16');
  svg.setAttribute('height', '16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  if (slot) svg.setAttribute('slot', slot);
  svg.innerHTML = shapes[name];
  return svg;
}
