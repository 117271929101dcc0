/** Colours follow `color-scheme`. Custom properties that begin with `--sluice-` replace them. */
export const ELEMENT_STYLE = `
:host {
  --_text: var(--sluice-text, light-dark(#1d2733, #e6ebf1));
  --_muted: var(--sluice-muted, light-dark(#536273, #a3b0bf));
  --_background: var(--sluice-background, light-dark(#ffffff, #19212b));
  --_border: var(--sluice-border, light-dark(#cfd8e1, #3a4757));
  --_accent: var(--sluice-accent, light-dark(#0b66c3, #6cb2ff));
  --_on-accent: var(--sluice-on-accent, light-dark(#ffffff, #0b1622));
  --_good: var(--sluice-good, light-dark(#17803d, #5fd38a));
  --_warn: var(--sluice-warn, light-dark(#9a5b00, #f2b950));
  --_bad: var(--sluice-bad, light-dark(#b3261e, #ff8f87));
  --_radius: var(--sluice-radius, 12px);
  display: block;
  max-inline-size: 34rem;
  font: var(--sluice-font, 1rem / 1.45 system-ui, sans-serif);
  color: var(--_text);
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
[part='panel'] {
  display: grid;
  gap: 0.875rem;
  padding: 1rem 1.125rem;
  background: var(--_background);
  border: 1px solid var(--_border);
  border-radius: var(--_radius);
}
[part='head'] { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0.25rem 1rem; }
[part='heading'] { margin: 0; font-size: 1.0625rem; font-weight: 650; }
[part='done'] { color: var(--_muted); font-variant-numeric: tabular-nums; font-size: 0.9375rem; }
[part='status'] { display: flex; gap: 0.625rem; margin: 0; overflow-wrap: anywhere; }
[part='dot'] {
  flex: none;
  inline-size: 0.75rem;
  block-size: 0.75rem;
  margin-block-start: 0.35rem;
  border-radius: 50%;
  border: 2px solid var(--_muted);
}
:host([state='working']) [part='dot'] { background: var(--_good); border-color: var(--_good); }
:host([state='connecting']) [part='dot'] { border-color: var(--_accent); }
:host([state='paused']) [part='dot'], :host([state='draining']) [part='dot'] { background: var(--_warn); border-color: var(--_warn); }
:host([state='failed']) [part='dot'] { background: var(--_bad); border-color: var(--_bad); border-radius: 2px; }
[part='question'] { margin: 0; }
[part='share'] { display: grid; gap: 0.25rem; color: var(--_muted); font-size: 0.9375rem; }
[part='slider'] { inline-size: 100%; margin: 0; min-block-size: 1.5rem; accent-color: var(--_accent); }
[part='actions'] { display: flex; flex-wrap: wrap; gap: 0.5rem; }
button {
  min-block-size: 2.5rem;
  padding: 0.375rem 0.875rem;
  font: inherit;
  color: var(--_text);
  background: transparent;
  border: 1px solid var(--_border);
  border-radius: calc(var(--_radius) * 0.66);
  cursor: pointer;
}
button:hover { border-color: var(--_accent); }
button.main { color: var(--_on-accent); background: var(--_accent); border-color: var(--_accent); font-weight: 600; }
button.quiet { margin-inline-start: auto; color: var(--_muted); border-color: transparent; text-decoration: underline; }
button.quiet:hover { color: var(--_text); }
:is(button, input):focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
[hidden] { display: none !important; }
@media (max-width: 26rem) {
  [part='actions'] button { flex: 1 1 auto; }
  button.quiet { flex-basis: 100%; margin: 0; }
}
@media (forced-colors: active) {
  [part='dot'] { forced-color-adjust: none; }
}
`
