/** What a view with a module of its own is drawn with; `draw({ view, kit })` gets all of it. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ActButton, Acts, Toolbar, useActs } from "./acts";
import { Chips, Copy, Search } from "./controls";
import { ago, num, rows, stamp, text, visible } from "./frame";
import { html } from "./html";
import { Bars, Course, Facts, SmallTable } from "./parts";
import { Shell } from "./shell";

export const kit = {
  html,
  ActButton, Acts, Toolbar, useActs,
  useEffect, useMemo, useRef, useState,
  ago, num, rows, stamp, text, visible,
  Bars, Chips, Copy, Course, Facts, Search, Shell, SmallTable,
} as const;
