/** Designs of documents: those that come along, and what one may hold. */
import type { JsonObject, JsonSchema } from "../graph";

/** `design` holds sample data, too. */
export interface ReadyDesign {
  id: string;
  name: string;
  design: JsonObject;
}

/** `design`: a whole one without its blocks; `blocks`: each kind by its name, in the order in which they are offered. */
export interface DesignModel {
  design: JsonSchema;
  blocks: Record<string, JsonSchema>;
  most_blocks: number;
}
