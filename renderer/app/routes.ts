/** Where the user is. Kept in the address after '#', so that a reload comes back to it. */
export type Route =
  | { readonly page: 'start' }
  | { readonly page: 'models'; readonly path?: string }
  | { readonly page: 'data'; readonly path?: string }
  | {
      readonly page: 'new';
      readonly methodId?: string;
      readonly from?: string;
      readonly recipe?: string;
      /** Path of a model that takes the first role it can. */
      readonly model?: string;
    }
  | { readonly page: 'runs'; readonly groupId?: string }
  | { readonly page: 'run'; readonly runId: string }
  | { readonly page: 'report'; readonly runId: string }
  | { readonly page: 'compare'; readonly runIds: readonly string[] }
  | { readonly page: 'settings' }
  | { readonly page: 'unknown'; readonly address: string };

export function hrefOf(route: Route): string {
  const e = encodeURIComponent;
  switch (route.page) {
    case 'start':
      return '#/';
    case 'models':
    case 'data':
      return route.path === undefined ? `#/${route.page}` : `#/${route.page}/${e(route.path)}`;
    case 'new': {
      const query = new URLSearchParams();
      if (route.from !== undefined) query.set('from', route.from);
      if (route.recipe !== undefined) query.set('recipe', route.recipe);
      if (route.model !== undefined) query.set('model', route.model);
      const path = route.methodId === undefined ? '#/new' : `#/new/${e(route.methodId)}`;
      return query.size > 0 ? `${path}?${query.toString()}` : path;
    }
    case 'runs':
      return route.groupId === undefined ? '#/runs' : `#/runs?group=${e(route.groupId)}`;
    case 'run':
      return `#/runs/${e(route.runId)}`;
    case 'report':
      return `#/runs/${e(route.runId)}/report`;
    case 'compare':
      return `#/compare/${route.runIds.map(e).join(',')}`;
    case 'settings':
      return '#/settings';
    case 'unknown':
      return route.address;
  }
}

/** The route of an address; what is not understood is 'unknown', never an exception. */
export function routeOf(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter((part) => part !== '');
  const texts = parts.map(decoded);
  const [page = '', first, second] = texts;
  const query = new URLSearchParams(search);
  if (texts.length > 3 || texts.includes(undefined)) return { page: 'unknown', address: hash };
  switch (page) {
    case '':
      return { page: 'start' };
    case 'models':
    case 'data':
      return { page, ...(first === undefined ? {} : { path: first }) };
    case 'new': {
      const from = query.get('from');
      const recipe = query.get('recipe');
      const model = query.get('model');
      return {
        page,
        ...(first === undefined ? {} : { methodId: first }),
        ...(from === null ? {} : { from }),
        ...(recipe === null ? {} : { recipe }),
        ...(model === null ? {} : { model }),
      };
    }
    case 'runs':
      if (first === undefined) {
        const groupId = query.get('group');
        return { page: 'runs', ...(groupId === null ? {} : { groupId }) };
      }
      if (second === undefined) return { page: 'run', runId: first };
      if (second === 'report') return { page: 'report', runId: first };
      break;
    case 'compare':
      if (first !== undefined) return { page, runIds: first.split(',').filter((id) => id !== '') };
      break;
    case 'settings':
      return { page };
  }
  return { page: 'unknown', address: hash };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
