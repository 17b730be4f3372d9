import { defineConfig, loadEnv } from 'vite';

export default defineConfig(({ mode }) => {
  const { UP_S3_URL: target, VITE_BUCKET: bucket } = loadEnv(mode, import.meta.dirname, ['UP_', 'VITE_']);
  const signedFor = `${bucket}.s3.us-east-1.amazonaws.com`;
  const s3 = { target, headers: { host: signedFor }, rewrite: (path) => path.replace('/s3-of-up', '') };
  return {
    server: { host: '127.0.0.1', proxy: { '/s3-of-up/': s3 } },
    build: { target: 'es2022' },
  };
});
