declare module "virtual:views" {
  const views: Record<string, unknown>;
  export default views;
}
declare module "virtual:styles" {
  const text: string;
  export default text;
}
