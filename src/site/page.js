(() => {
  'use strict';
  const contents = document.getElementById('contents');
  const wide = matchMedia('(min-width: 50.01rem)');
  const unfold = () => { contents.open = wide.matches; };
  wide.addEventListener('change', unfold);
  unfold();

  const search = document.getElementById('search');
  const found = document.getElementById('found');
  const articles = [...document.querySelectorAll('article[data-search]')];
  const links = new Map();
  for (const link of document.querySelectorAll('nav li a')) links.set(link.hash.slice(1), link.parentElement);
  search.addEventListener('input', () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const article of articles) {
      const fits = words.every((word) => article.dataset.search.includes(word));
      article.hidden = !fits;
      const link = links.get(article.id);
      if (link) link.hidden = !fits;
      if (fits) shown += 1;
    }
    document.body.classList.toggle('searching', words.length > 0);
    found.textContent = words.length > 0 ? shown + ' of ' + articles.length + ' tables' : '';
  });

  for (const svg of document.querySelectorAll('.graph svg')) {
    const nodes = new Map([...svg.querySelectorAll('.node')].map((node) => [node.dataset.table, node]));
    const edges = [...svg.querySelectorAll('.edge')];
    const follow = (start, here, there) => {
      const reached = new Set([start]);
      const waiting = [start];
      while (waiting.length > 0) {
        const name = waiting.pop();
        for (const edge of edges) {
          if (edge.dataset[here] !== name) continue;
          edge.classList.add('on');
          if (!reached.has(edge.dataset[there])) {
            reached.add(edge.dataset[there]);
            waiting.push(edge.dataset[there]);
          }
        }
      }
      for (const name of reached) nodes.get(name).classList.add('on');
    };
    const clear = () => {
      svg.classList.remove('picked');
      for (const part of svg.querySelectorAll('.on')) part.classList.remove('on');
    };
    for (const [name, node] of nodes) {
      const pick = () => {
        clear();
        svg.classList.add('picked');
        follow(name, 'to', 'from');
        follow(name, 'from', 'to');
      };
      node.addEventListener('mouseenter', pick);
      node.addEventListener('focus', pick);
      node.addEventListener('mouseleave', clear);
      node.addEventListener('blur', clear);
    }
  }

  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('main details')) details.open = true;
  });
})();
