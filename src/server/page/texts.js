// What the page says, in five languages. Functions take what varies; text from others is never put into markup.

export const words = {
  'en': {
    language: 'Language', messages: 'Messages', users: 'Here now', to: 'To', message: 'Message', send: 'Send', enter: 'Enter the chat',
    keys: 'Enter sends, Shift+Enter starts a new line', newer: 'New messages ↓', welcome: 'Welcome', nickname: 'Your nickname',
    everyone: 'everyone', you: 'you', left: (name) => `${name} (has left)`, talkTo: (name) => `Talk to ${name}`,
    connecting: 'Connecting…', connected: 'Connected', lost: (s) => s ? `Connection lost. Next try in ${s} s` : 'Connection lost. Trying again…',
    offline: 'You are not connected; your message has not been sent.', joined: (who) => [who, ' has joined'], parted: (who) => [who, ' has left'],
    private: 'private', privateTo: (who) => ['private, to ', who], gone: 'That user has left. Choose whom to talk to.',
    again: 'Back again', noName: 'Please enter a nickname.',
    errors: { 'bad-name': 'That nickname is not possible. Please choose another.', 'bad-content': 'That message is empty or too long.', 'unknown-uid': 'That user is not here any more.', 'too-fast': 'Not so fast: a message has not been sent.' },
    error: (code) => `The server refused something (${code}).`,
  },
  'zh-CN': {
    language: '语言', messages: '消息', users: '在线', to: '发给', message: '消息', send: '发送', enter: '进入聊天室',
    keys: 'Enter 发送，Shift+Enter 换行', newer: '有新消息 ↓', welcome: '欢迎', nickname: '请输入昵称',
    everyone: '所有人', you: '我', left: (name) => `${name}（已离开）`, talkTo: (name) => `与 ${name} 聊天`,
    connecting: '正在连接…', connected: '已连接', lost: (s) => s ? `连接已断开，${s} 秒后重试` : '连接已断开，正在重试…',
    offline: '尚未连接，消息没有发出。', joined: (who) => [who, ' 加入了聊天室'], parted: (who) => [who, ' 离开了聊天室'],
    private: '私聊', privateTo: (who) => ['私聊，发给 ', who], gone: '对方已离开，请重新选择聊天对象。',
    again: '已重新连接', noName: '请输入昵称。',
    errors: { 'bad-name': '这个昵称不可用，请换一个。', 'bad-content': '消息为空或过长。', 'unknown-uid': '对方已不在线。', 'too-fast': '发送太快，有一条消息没有发出。' },
    error: (code) => `服务器拒绝了请求（${code}）。`,
  },
  'zh-TW': {
    language: '語言', messages: '訊息', users: '線上', to: '傳給', message: '訊息', send: '傳送', enter: '進入聊天室',
    keys: 'Enter 傳送，Shift+Enter 換行', newer: '有新訊息 ↓', welcome: '歡迎', nickname: '請輸入暱稱',
    everyone: '所有人', you: '我', left: (name) => `${name}（已離開）`, talkTo: (name) => `與 ${name} 聊天`,
    connecting: '正在連線…', connected: '已連線', lost: (s) => s ? `連線已中斷，${s} 秒後重試` : '連線已中斷，正在重試…',
    offline: '尚未連線，訊息沒有送出。', joined: (who) => [who, ' 加入了聊天室'], parted: (who) => [who, ' 離開了聊天室'],
    private: '私訊', privateTo: (who) => ['私訊，傳給 ', who], gone: '對方已離開，請重新選擇聊天對象。',
    again: '已重新連線', noName: '請輸入暱稱。',
    errors: { 'bad-name': '這個暱稱無法使用，請換一個。', 'bad-content': '訊息是空的或太長。', 'unknown-uid': '對方已不在線上。', 'too-fast': '傳送太快，有一則訊息沒有送出。' },
    error: (code) => `伺服器拒絕了請求（${code}）。`,
  },
  'ja': {
    language: '言語', messages: 'メッセージ', users: '参加者', to: '宛先', message: 'メッセージ', send: '送信', enter: 'チャットに入る',
    keys: 'Enter で送信、Shift+Enter で改行', newer: '新しいメッセージ ↓', welcome: 'ようこそ', nickname: 'ニックネーム',
    everyone: '全員', you: '自分', left: (name) => `${name}（退室しました）`, talkTo: (name) => `${name} さんと話す`,
    connecting: '接続しています…', connected: '接続済み', lost: (s) => s ? `接続が切れました。${s} 秒後に再接続します` : '接続が切れました。再接続しています…',
    offline: '接続されていないため、メッセージは送信されていません。', joined: (who) => [who, ' さんが入室しました'], parted: (who) => [who, ' さんが退室しました'],
    private: 'プライベート', privateTo: (who) => ['プライベート、', who, ' さん宛て'], gone: '相手は退室しました。宛先を選び直してください。',
    again: '再接続しました', noName: 'ニックネームを入力してください。',
    errors: { 'bad-name': 'このニックネームは使えません。別のものを入力してください。', 'bad-content': 'メッセージが空か、長すぎます。', 'unknown-uid': '相手はすでに退室しています。', 'too-fast': '送信の間隔が短すぎます。メッセージを 1 件送信できませんでした。' },
    error: (code) => `サーバーが要求を拒否しました（${code}）。`,
  },
  'es': {
    language: 'Idioma', messages: 'Mensajes', users: 'Conectados', to: 'Para', message: 'Mensaje', send: 'Enviar', enter: 'Entrar en el chat',
    keys: 'Intro envía, Mayús+Intro cambia de línea', newer: 'Mensajes nuevos ↓', welcome: 'Te damos la bienvenida', nickname: 'Tu apodo',
    everyone: 'todos', you: 'tú', left: (name) => `${name} (ha salido)`, talkTo: (name) => `Hablar con ${name}`,
    connecting: 'Conectando…', connected: 'Conectado', lost: (s) => s ? `Conexión perdida. Próximo intento en ${s} s` : 'Conexión perdida. Reintentando…',
    offline: 'No hay conexión; tu mensaje no se ha enviado.', joined: (who) => [who, ' ha entrado'], parted: (who) => [who, ' ha salido'],
    private: 'privado', privateTo: (who) => ['privado, para ', who], gone: 'Esa persona ha salido. Elige con quién hablar.',
    again: 'Conexión restablecida', noName: 'Escribe un apodo.',
    errors: { 'bad-name': 'Ese apodo no es válido. Elige otro.', 'bad-content': 'El mensaje está vacío o es demasiado largo.', 'unknown-uid': 'Esa persona ya no está.', 'too-fast': 'Vas demasiado rápido: un mensaje no se ha enviado.' },
    error: (code) => `El servidor ha rechazado la petición (${code}).`,
  },
};

// The best of our languages for somebody who reads `wanted`, a list of language tags.
export function choose(wanted) {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return /hant|tw|hk|mo/i.test(tag) ? 'zh-TW' : 'zh-CN';
    const found = Object.keys(words).find((key) => key === tag.split('-')[0].toLowerCase());
    if (found) return found;
  }
  return 'en';
}
