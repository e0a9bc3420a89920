/**
 * The one module that knows `@vscode/webview-ui-toolkit` (archived upstream): everything else asks for plain elements
 * here, so that replacing the toolkit means replacing this file.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
} from '@vscode/webview-ui-toolkit';

let registered = false;

/** Registers the custom elements once. Call after the body exists: the toolkit reads the theme from it. */
export function registerControls(): void {
  if (registered) return;
  registered = true;
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeProgressRing(),
  );
}

export interface ButtonOptions {
  readonly label: string;
  /** Longer text for the tooltip. */
  readonly title?: string;
  /** Name for screen readers where the label alone says too little; must contain the label's words. */
  readonly name?: string;
  readonly appearance?: 'primary' | 'secondary' | 'icon';
  readonly onClick: () => void;
}

export function button(options: ButtonOptions): HTMLElement & { disabled: boolean } {
  const element = document.createElement('vscode-button') as HTMLElement & { disabled: boolean };
  element.setAttribute('appearance', options.appearance ?? 'secondary');
  element.textContent = options.label;
  element.title = options.title ?? options.label;
  if (options.name) element.setAttribute('aria-label', options.name);
  element.addEventListener('click', options.onClick);
  return element;
}

export interface CheckboxOptions {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function checkbox(options: CheckboxOptions): HTMLElement {
  const element = document.createElement('vscode-checkbox') as HTMLElement & { checked: boolean };
  element.textContent = options.label;
  element.checked = options.checked;
  element.addEventListener('change', () => options.onChange(element.checked));
  return element;
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

export function progressRing(label: string): HTMLElement {
  const element = document.createElement('vscode-progress-ring');
  element.setAttribute('aria-label', label);
  return element;
}
