/** For the type check: `/assets/uplot.js` is the chart library's own module. */
export { default } from "uplot";
