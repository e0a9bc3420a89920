// `npm run vscode`: a real VS Code in the browser with the extension and the example workspace.
//   node .ci/vscode.js [--port N] [--host oldest|current] [--folder DIR] [--bind ADDRESS]
require('./ensure.js');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { startHost, folderOf } = require('./host.js');

const root = path.join(__dirname, '..');
const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    host: { type: 'string', default: 'current' },
    folder: { type: 'string', default: path.join(root, 'examples') },
    bind: { type: 'string', default: '127.0.0.1' },
  },
});

async function main() {
  const home = path.join(folderOf(values.host), 'home');
  const extensions = path.join(home, 'extensions');
  fs.mkdirSync(extensions, { recursive: true });
  const link = path.join(extensions, 'kernelscope.kernelscope-0.1.0');
  fs.rmSync(link, { recursive: true, force: true });
  fs.symlinkSync(root, link, 'junction');
  const host = await startHost(values.host, {
    home,
    port: values.port ? Number(values.port) : undefined,
    bind: values.bind,
    settings: {
      'workbench.startupEditor': 'none',
      'workbench.secondarySideBar.defaultVisibility': 'hidden',
      'chat.disableAIFeatures': true,
      'security.workspace.trust.enabled': false,
    },
  });
  console.log(`VS Code runs at ${host.url}?folder=${encodeURI(path.resolve(values.folder))}`);
  console.log('Open a model file and click "Train" above it. Ctrl-C ends it.');
  const end = () => {
    host.stop();
    process.exit(0);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  setInterval(() => undefined, 1 << 30);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
