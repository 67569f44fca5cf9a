import type { Download } from '../contract/Download';
import type { ModelEntry } from '../contract/ModelEntry';
import type { Project } from '../contract/Project';
import type { ProjectState } from '../contract/ProjectState';
import type { ProjectSummary } from '../contract/ProjectSummary';
import type { RunState } from '../contract/RunState';
import type { RunSummary } from '../contract/RunSummary';

/** How far a project is when its last run is in this state. */
const projectStates: Record<RunState, ProjectState> = {
  waiting: 'training',
  training: 'training',
  judging: 'training',
  stopped: 'stopped',
  failed: 'stopped',
  judged: 'judged',
};

/** A project after news of one of its runs: new runs stand first. */
export function withRun(project: Project, run: RunSummary): Project {
  const known = project.runs.some((other) => other.id === run.id);
  const runs = known ? project.runs.map((other) => (other.id === run.id ? run : other)) : [run, ...project.runs];
  return { ...project, runs, summary: summaryOf(project.summary, runs) };
}

/** A project in the list after news of a run, of which only that run is known. */
export function summaryWithRun(summary: ProjectSummary, run: RunSummary): ProjectSummary {
  return { ...summary, state: projectStates[run.state], outcome: run.outcome ?? summary.outcome };
}

function summaryOf(summary: ProjectSummary, runs: readonly RunSummary[]): ProjectSummary {
  const active = runs.find((run) => projectStates[run.state] === 'training') ?? runs[0];
  if (!active) return summary;
  const outcome = runs.find((run) => run.outcome !== null)?.outcome ?? null;
  return { ...summary, state: projectStates[active.state], outcome };
}

/** The list of projects with one of them replaced, or added in front. */
export function withSummary(projects: readonly ProjectSummary[], summary: ProjectSummary): ProjectSummary[] {
  const known = projects.some((other) => other.id === summary.id);
  return known ? projects.map((other) => (other.id === summary.id ? summary : other)) : [summary, ...projects];
}

/** The list of models after news of a download. */
export function withDownload(models: readonly ModelEntry[], download: Download): ModelEntry[] {
  return models.map((model) => (model.id === download.model ? { ...model, download } : model));
}

/** Whether a download is complete: it ended without a fault, with everything there. */
export function isComplete(download: Download): boolean {
  return !download.active && download.fault === null && download.total !== null && download.bytes >= download.total;
}
