// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elements, text } from '../src/xml.js';

test('reads elements in order, with attributes, line breaks and empty ones', () => {
  const xml = '<?xml version="1.0"?>\n<R xmlns="x:y"><A>1</A><A\n n="v">2\n2</A><A/><A ></A><AB>no</AB></R>';
  assert.deepEqual(elements(xml, 'A'), ['1', '2\n2', '', '']);
  assert.equal(elements(xml, 'R').length, 1);
});

test('text is the first one, and undefined is not empty', () => {
  assert.equal(text('<A>1</A><A>2</A>', 'A'), '1');
  assert.equal(text('<A/>', 'A'), '');
  assert.equal(text('<A>1</A>', 'B'), undefined);
});

test('the five entities and character references, each once', () => {
  assert.equal(text('<K>&lt;b&gt; &amp;amp; &quot;&apos; &#65;&#x1F3AB; &#13;</K>', 'K'), '<b> &amp; "\' A🎫 \r');
});

test('what XML does not define stays as it is', () => {
  assert.equal(text('<K>&nbsp; &constructor; &#x110000; & &;</K>', 'K'), '&nbsp; &constructor; &#x110000; & &;');
});

test('a document type declares no entity', () => {
  const xml = '<!DOCTYPE R [<!ENTITY e SYSTEM "file:///etc/passwd">]><R><K>&e;</K></R>';
  assert.equal(text(xml, 'K'), '&e;');
});

test('an element that never ends is not there', () => {
  assert.deepEqual(elements('<A>1', 'A'), []);
});
