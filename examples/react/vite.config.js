import { defineConfig } from 'vite';

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  server: { host: '127.0.0.1' },
  // Here @daypass/browser is a link to sdk/, which may have a React of its own for its tests.
  resolve: { dedupe: ['react'] },
});
