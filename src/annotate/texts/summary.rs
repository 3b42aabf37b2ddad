//! The labels of the closing summary.

use super::Catalog;

/// What stands before each line of the summary, and the few words in them.
#[derive(Debug)]
pub struct SummaryWords {
    /// The headline.
    pub title: &'static str,
    /// Packets and their bytes.
    pub packets: &'static str,
    /// WebSocket sessions.
    pub sessions: &'static str,
    /// Names that logged in.
    pub users: &'static str,
    /// Messages that clients sent.
    pub from_clients: &'static str,
    /// Messages that servers sent.
    pub from_servers: &'static str,
    /// Messages and bytes a second.
    pub rates: &'static str,
    /// From a say to its deliveries: the shortest, mean and longest time.
    pub delivery: &'static str,
    /// Deliveries to users who were logged in that never came.
    pub missed: &'static str,
    /// From a ping to its pong, likewise.
    pub round_trip: &'static str,
    /// Pings without a pong.
    pub unanswered: &'static str,
    /// Rules that were broken.
    pub violations: &'static str,
    /// Gaps in the streams.
    pub gaps: &'static str,
    /// IP datagrams of which only some fragments came.
    pub incomplete: &'static str,
    /// Directions that lost what their compressed messages refer back to.
    pub evicted_histories: &'static str,
    /// Packets that the kernel dropped.
    pub dropped: &'static str,
    /// How sessions ended.
    pub ends: &'static str,
    /// The unit of bytes.
    pub bytes: &'static str,
    /// Messages a second.
    pub messages_a_second: &'static str,
    /// Bytes a second.
    pub bytes_a_second: &'static str,
    /// Shortest, mean, longest.
    pub spread: &'static str,
}

impl Catalog {
    /// The labels of the summary.
    pub fn summary(&self) -> &'static SummaryWords {
        match self.tag {
            "zh-CN" => &ZH_CN,
            "zh-TW" => &ZH_TW,
            "ja" => &JA,
            "es" => &ES,
            _ => &EN,
        }
    }
}

static EN: SummaryWords = SummaryWords {
    title: "Summary",
    packets: "Packets",
    sessions: "Sessions",
    users: "Users",
    from_clients: "From clients",
    from_servers: "From servers",
    rates: "Rates",
    delivery: "Delivery",
    missed: "Not delivered",
    round_trip: "Ping round trip",
    unanswered: "Unanswered pings",
    violations: "Violations",
    gaps: "Gaps",
    incomplete: "Datagrams in part",
    evicted_histories: "Histories given up",
    dropped: "Dropped",
    ends: "Ended with",
    bytes: "bytes",
    messages_a_second: "messages/s",
    bytes_a_second: "bytes/s",
    spread: "min / mean / max",
};

static ZH_CN: SummaryWords = SummaryWords {
    title: "汇总",
    packets: "数据包",
    sessions: "会话",
    users: "用户",
    from_clients: "客户端发送",
    from_servers: "服务端发送",
    rates: "速率",
    delivery: "送达耗时",
    missed: "未送达",
    round_trip: "ping 往返时间",
    unanswered: "未应答的 ping",
    violations: "协议违规",
    gaps: "缺口",
    incomplete: "不完整的数据报",
    evicted_histories: "放弃的压缩历史",
    dropped: "丢弃",
    ends: "结束方式",
    bytes: "字节",
    messages_a_second: "条消息/秒",
    bytes_a_second: "字节/秒",
    spread: "最短 / 平均 / 最长",
};

static ZH_TW: SummaryWords = SummaryWords {
    title: "總結",
    packets: "封包",
    sessions: "工作階段",
    users: "使用者",
    from_clients: "用戶端傳送",
    from_servers: "伺服器傳送",
    rates: "速率",
    delivery: "送達耗時",
    missed: "未送達",
    round_trip: "ping 往返時間",
    unanswered: "未回應的 ping",
    violations: "違反協定",
    gaps: "缺口",
    incomplete: "不完整的資料包",
    evicted_histories: "放棄的壓縮歷史",
    dropped: "捨棄",
    ends: "結束方式",
    bytes: "位元組",
    messages_a_second: "則訊息/秒",
    bytes_a_second: "位元組/秒",
    spread: "最短 / 平均 / 最長",
};

static JA: SummaryWords = SummaryWords {
    title: "まとめ",
    packets: "パケット",
    sessions: "セッション",
    users: "ユーザー",
    from_clients: "クライアントから",
    from_servers: "サーバーから",
    rates: "速度",
    delivery: "配送時間",
    missed: "届かなかった配送",
    round_trip: "ping の往復時間",
    unanswered: "応答のない ping",
    violations: "プロトコル違反",
    gaps: "欠落",
    incomplete: "不完全なデータグラム",
    evicted_histories: "破棄した圧縮履歴",
    dropped: "破棄",
    ends: "終わり方",
    bytes: "バイト",
    messages_a_second: "メッセージ/秒",
    bytes_a_second: "バイト/秒",
    spread: "最短 / 平均 / 最長",
};

static ES: SummaryWords = SummaryWords {
    title: "Resumen",
    packets: "Paquetes",
    sessions: "Sesiones",
    users: "Usuarios",
    from_clients: "De los clientes",
    from_servers: "De los servidores",
    rates: "Ritmo",
    delivery: "Tiempo de entrega",
    missed: "Sin entregar",
    round_trip: "Ida y vuelta del ping",
    unanswered: "Pings sin respuesta",
    violations: "Infracciones",
    gaps: "Huecos",
    incomplete: "Datagramas incompletos",
    evicted_histories: "Historiales descartados",
    dropped: "Descartados",
    ends: "Finalizadas con",
    bytes: "bytes",
    messages_a_second: "mensajes/s",
    bytes_a_second: "bytes/s",
    spread: "mín / media / máx",
};
