// What all parts of the page share: elements, the language, and what is remembered.

import { allTexts, choose } from './texts.js';

export const $ = (id) => document.getElementById(id);

// A new element with text or other elements in it. Text from others only ever becomes text, never markup.
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// Storage that may be absent, full or forbidden: then nothing is remembered.
function storage(kind) {
  return {
    get(key) { try { return JSON.parse(window[kind].getItem(`wschat.${key}`)); } catch { return null; } },
    set(key, value) { try { window[kind].setItem(`wschat.${key}`, JSON.stringify(value)); } catch { /* not remembered */ } },
  };
}
export const local = storage('localStorage'); // shared by all tabs
export const session = storage('sessionStorage'); // of this tab alone; survives a reload

export const setting = (name) => document.querySelector(`meta[name="${name}"]`).content;

const known = local.get('language');
export let language = allTexts[known] ? known : choose(navigator.languages ?? []);
export let texts = allTexts[language];

const listeners = [];
// Calls `listener` now and whenever another language is chosen.
export function onLanguage(listener) { listeners.push(listener); listener(); }

export function setLanguage(chosen) {
  language = chosen;
  texts = allTexts[chosen];
  local.set('language', chosen);
  for (const listener of listeners) listener();
}

// A sentence of the page by its key, with what varies in it.
export const textOf = ([key, ...values]) => (typeof texts[key] === 'function' ? texts[key](...values) : texts[key]);

let numbers;
onLanguage(() => { numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1 }); });
export const formatNumber = (number) => numbers.format(number);
export function formatBytes(bytes) {
  return bytes < 1024 ? texts.bytes(formatNumber(bytes)) : `${formatNumber(bytes / 1024)} KiB`;
}
