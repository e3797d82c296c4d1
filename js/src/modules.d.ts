declare module "virtual:views" {
  const views: Record<string, unknown>;
  export default views;
}
declare module "*.css" {
  const text: string;
  export default text;
}
