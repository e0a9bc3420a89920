export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

const style = `
:root { color-scheme: light dark; }
html { background: Canvas; color: CanvasText; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1060px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 0; }
section { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 8px; padding: 1rem 1.2rem; margin: 1rem 0; }
.verdict { font-weight: 600; } .green { color: light-dark(#1b6e2e, #7cc47f); } .red { color: light-dark(#b3261e, #f37b7b); }
.muted { opacity: .8; } .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { text-align: left; padding: .15rem .9rem .15rem 0; vertical-align: top; }
figure { margin: 0; } table.phase td, table.phase th { padding: .4rem .8rem; text-align: center; } .wide { overflow-x: auto; }
progress { width: 12rem; max-width: 40%; accent-color: #2f7bc4; }
nav td:first-child a { color: inherit; } svg { width: 100%; max-width: 560px; height: auto; }`;

/** Nothing is loaded and nothing runs; cells are coloured by styles of their own. */
export const pagePolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** A self-contained page without scripts, light and dark. */
export const htmlPage = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="${pagePolicy}"><title>${escapeHtml(title)}</title><style>${style}</style></head>
<body><main>${body}</main></body></html>
`;
