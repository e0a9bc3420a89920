import type { ToView } from '../src/protocol/viewWire.js';
import { Channel } from './channel.js';
import { Page } from './page.js';
import { RunData } from './store.js';
import { setTranslations } from './strings.js';
import { registerControls } from './toolkit.js';
import { element } from './ui/dom.js';

/** The dashboard panel in the editor: a picture of the runs that the extension host owns. */
function start(): void {
  registerControls();
  let page: Page | undefined;
  const failure = element('p', { class: 'message', role: 'alert', hidden: true });
  document.body.append(failure);

  const channel = new Channel((message) => handle(message));
  const outlet = {
    file: (name: string, mime: string, blob: Blob) =>
      void blob.arrayBuffer().then((data) => channel.send({ type: 'export', name, mime, data })),
    copy: (text: string) => channel.send({ type: 'copy', text }),
  };

  // The page waits for the translations, so that no word has to be replaced later.
  const shown = (): Page => {
    page ??= new Page(document.body, outlet, {
      command: (name) => {
        const run = page?.primary?.info.run;
        if (run) channel.send({ type: 'command', name, run });
      },
      removed: (run) => {
        channel.send({ type: 'hide', run });
        channel.remember({ runs: page?.ids ?? [] });
      },
    });
    return page;
  };

  function handle(message: ToView): void {
    switch (message.type) {
      case 'hello':
        setTranslations(message.strings);
        shown();
        return;
      case 'snapshot': {
        const run = new RunData(message.run.info, message.run.status, message.run.ended);
        run.append(message.metrics, message.snapshots, message.events);
        shown().put(run);
        channel.remember({ runs: shown().ids });
        return;
      }
      case 'frame': {
        shown().run(message.run)?.append(message.metrics, message.snapshots, message.events);
        shown().redraw();
        channel.send({ type: 'ack', run: message.run, seq: message.seq });
        return;
      }
      case 'status': {
        const run = shown().run(message.run);
        if (!run) return;
        run.status = message.status;
        run.ended = message.ended;
        shown().redraw();
        return;
      }
      case 'remove':
        shown().remove(message.run);
        channel.remember({ runs: shown().ids });
        return;
      case 'failure':
        failure.textContent = message.text;
        failure.hidden = false;
    }
  }

  // Read by the tests of speed and memory.
  Object.assign(window, {
    kernelscopeDrawTimes: () => page?.scheduler.drawTimes ?? [],
    kernelscopeHeld: (run: string) => page?.run(run)?.held ?? null,
  });
  channel.start();
}

start();
