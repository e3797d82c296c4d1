// Bundles src/runtime.ts into pjais_lab/views/static; every file in src/views is a view, or its style sheet.
// And src/labextension into pjais_lab/ext/jupyter/labextension, as JupyterLab loads extensions.
import { build } from "esbuild";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [out, extension, version] = process.argv.slice(2);

const views = {
  name: "views",
  setup(builder) {
    builder.onResolve({ filter: /^virtual:views$/ }, () => ({ path: "views", namespace: "views" }));
    builder.onLoad({ filter: /.*/, namespace: "views" }, () => {
      const folder = join(here, "src", "views");
      const names = readdirSync(folder).filter((f) => f.endsWith(".ts")).map((f) => f.slice(0, -3)).sort();
      const lines = names.map((n, i) => `import v${i} from "./views/${n}";`);
      const table = names.map((n, i) => `${JSON.stringify(n)}: v${i}`).join(", ");
      return { contents: `${lines.join("\n")}\nexport default { ${table} };`, resolveDir: join(here, "src"), loader: "ts" };
    });
  },
};

// The style sheets as one text: base.css and grid.css, then each view's own.
const styles = {
  name: "styles",
  setup(builder) {
    builder.onResolve({ filter: /^virtual:styles$/ }, () => ({ path: "styles", namespace: "styles" }));
    builder.onLoad({ filter: /.*/, namespace: "styles" }, async () => {
      const own = readdirSync(join(here, "src", "views")).filter((f) => f.endsWith(".css")).sort();
      const all = ["base.css", "grid.css", "acts.css", ...own.map((f) => `views/${f}`)].map((f) => `@import "./${f}";`);
      const stdin = { contents: all.join("\n"), loader: "css", resolveDir: join(here, "src") };
      const made = await build({ ...common, stdin, write: false, target: "es2022" });
      return { contents: made.outputFiles[0].text, loader: "text" };
    });
  },
};

const common = { bundle: true, minify: true, logLevel: "warning", legalComments: "none", absWorkingDir: here };
await build({
  ...common,
  entryPoints: ["src/runtime.ts"],
  outfile: join(out, "runtime.js"),
  format: "esm",
  target: "es2022",
  charset: "utf8",
  plugins: [views, styles],
});

rmSync(extension, { recursive: true, force: true }); // names carry a hash of what is inside
const made = await build({
  ...common,
  entryPoints: { remoteEntry: "src/labextension/index.ts" },
  entryNames: "[name].[hash]",
  outdir: join(extension, "static"),
  format: "iife",
  target: "es2022",
  charset: "utf8",
  metafile: true,
});
const load = `static/${basename(Object.keys(made.metafile.outputs)[0])}`;
const about = {
  name: "pjais-lab",
  version,
  description: "PJAIS Lab in JupyterLab: opens a lab, its dashboard and its log.",
  license: "Apache-2.0",
  jupyterlab: { extension: true, _build: { load, extension: "./extension" } },
};
const install = {
  packageManager: "python",
  packageName: "pjais-lab",
  uninstallInstructions: "Use your Python package manager to uninstall the package pjais-lab.",
};
for (const [name, value] of Object.entries({ "package.json": about, "install.json": install })) {
  writeFileSync(join(extension, name), `${JSON.stringify(value, null, 2)}\n`);
}
