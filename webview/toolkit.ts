/**
 * The one module that knows `@vscode/webview-ui-toolkit` (archived upstream): everything else asks for plain elements
 * here, so that replacing the toolkit means replacing this file.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeDropdown,
  vsCodeOption,
} from '@vscode/webview-ui-toolkit';
import { type IconName, icon } from './ui/icons.js';

let registered = false;

/** Registers the custom elements once. Call after the body exists: the toolkit reads the theme from it. */
export function registerControls(): void {
  if (registered) return;
  registered = true;
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeDropdown(), vsCodeOption());
}

export interface ButtonOptions {
  readonly label: string;
  /** Drawn before the label; alone under the appearance 'icon', where the label is the name. */
  readonly icon?: IconName;
  /** Longer text for the tooltip. */
  readonly title?: string;
  /** Name for screen readers where the label alone says too little; must contain the label's words. */
  readonly name?: string;
  readonly appearance?: 'primary' | 'secondary' | 'icon';
  readonly onClick: () => void;
}

export type Button = HTMLElement & { disabled: boolean };

export function button(options: ButtonOptions): Button {
  const element = document.createElement('vscode-button') as Button;
  const alone = options.appearance === 'icon';
  element.setAttribute('appearance', options.appearance ?? 'secondary');
  if (options.icon) element.append(icon(options.icon, alone ? undefined : 'start'));
  if (!alone) element.append(options.label);
  element.title = options.title ?? options.label;
  const name = options.name ?? (alone ? options.label : undefined);
  if (name) element.setAttribute('aria-label', name);
  element.addEventListener('click', options.onClick);
  return element;
}

export interface ToggleOptions {
  readonly label: string;
  readonly title: string;
  readonly pressed: boolean;
  readonly onChange: (pressed: boolean) => void;
}

/** A small button that stays pressed: a switch of a chart. */
export function toggle(options: ToggleOptions): Button & { readonly pressed: boolean } {
  const state = { pressed: options.pressed };
  const element = button({
    label: options.label,
    title: options.title,
    onClick: () => {
      state.pressed = !state.pressed;
      show();
      options.onChange(state.pressed);
    },
  });
  const show = () => element.setAttribute('aria-pressed', String(state.pressed));
  element.classList.add('toggle');
  show();
  return Object.defineProperty(element, 'pressed', { get: () => state.pressed }) as Button & {
    readonly pressed: boolean;
  };
}

export interface DropdownOptions {
  readonly label: string;
  readonly values: readonly { readonly value: string; readonly text: string }[];
  readonly selected: string;
  readonly onChange: (value: string) => void;
}

export function dropdown(options: DropdownOptions): HTMLElement {
  const element = document.createElement('vscode-dropdown') as HTMLElement & { value: string };
  element.setAttribute('aria-label', options.label);
  for (const { value, text } of options.values) {
    const option = document.createElement('vscode-option');
    option.setAttribute('value', value);
    option.textContent = text;
    if (value === options.selected) option.setAttribute('selected', '');
    element.append(option);
  }
  element.addEventListener('change', () => options.onChange(element.value));
  return element;
}
