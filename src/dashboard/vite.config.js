/** Everything from our own address, nothing inline: the content security policy allows nothing else. */
export default {
  base: '/',
  publicDir: 'public',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2023',
    modulePreload: false,
    assetsInlineLimit: 0,
    emptyOutDir: true,
    sourcemap: false,
    reportCompressedSize: false,
  },
};
